// Runs of one scenario in several hosts that share the machine: one works at a time, and each gives the others their turn after
// every round, so that drift of the machine falls on all alike.

import type { BenchResult } from "../../core/result.js";
import type { HostName, TargetStatus } from "../../core/target.js";
import type { CoordinatorHandle } from "../../hosts/node.js";
import type { Progress } from "../../run/parts.js";
import type { ClientMessage, CoordinatorEvent, FinalEvent } from "../protocol.js";
import { failureOf } from "../protocol.js";

/** Starts a host's coordinator; throws UnavailableError where there is none. */
export interface HostStart {
  readonly host: HostName;
  start(onMessage: (event: CoordinatorEvent) => void): CoordinatorHandle<ClientMessage, FinalEvent>;
}

export interface HostOutcome {
  readonly host: HostName;
  readonly answer: FinalEvent;
}

interface Player {
  readonly host: HostName;
  /** null while it runs. */
  answer: FinalEvent | null;
  /** Resolves when it waits for its turn or has answered. */
  pause(): Promise<void>;
  send(message: ClientMessage): void;
}

function openPlayer({ host, start }: HostStart, onProgress: (progress: Progress) => void): Player {
  let wake = () => {};
  let waits = false;
  const rest = () => {
    waits = true;
    wake();
  };
  const player: Player = {
    host,
    answer: null,
    pause: () =>
      new Promise<void>((done) => {
        wake = done;
        if (waits) done();
      }),
    send(message) {
      if (message.kind === "go") waits = false;
      handle?.send(message);
    },
  };
  const end = (answer: FinalEvent) => {
    player.answer = answer;
    rest();
  };
  let handle: CoordinatorHandle<ClientMessage, FinalEvent> | null = null;
  try {
    handle = start((event) => {
      if (event.kind === "turn") rest();
      else if (event.kind === "progress") onProgress({ ...event.progress, stage: `${host}: ${event.progress.stage}` });
    });
    handle.done.then(end, (error) => end(failureOf(error)));
  } catch (error) {
    end(failureOf(error));
  }
  return player;
}

/**
 * Starts the hosts one after another, each up to its first round, then gives turns until all have answered.
 * @param onOpen told of each host's way to be stopped
 */
export async function takeTurns(
  starts: readonly HostStart[],
  onProgress: (progress: Progress) => void,
  onOpen: (send: (message: ClientMessage) => void) => void,
): Promise<HostOutcome[]> {
  const players: Player[] = [];
  for (const start of starts) {
    const player = openPlayer(start, onProgress);
    onOpen((message) => player.send(message));
    players.push(player);
    await player.pause();
  }
  while (players.some(({ answer }) => answer === null)) {
    for (const player of players) {
      if (player.answer !== null) continue;
      player.send({ kind: "go" });
      await player.pause();
    }
  }
  return players.map(({ host, answer }) => ({ host, answer: answer as FinalEvent }));
}

/** A host that gave no result, as the table tells it. */
export function missingHost({ host, answer }: HostOutcome): TargetStatus {
  const target = { host, backend: "wasm", variant: "any", threads: 1 } as const;
  switch (answer.kind) {
    case "unavailable":
      return { target, available: false, reason: answer.parts[1], remedy: answer.parts[2] };
    case "input-error":
      return { target, available: false, reason: answer.parts.slice(0, 3).join(" "), remedy: answer.parts[3] };
    case "crash":
      return { target, available: false, reason: answer.message, remedy: "Run it there alone to see more" };
    default:
      return { target, available: false, reason: `it answered ${answer.kind}`, remedy: "Report this" };
  }
}

export const resultOf = ({ answer }: HostOutcome): BenchResult | null =>
  answer.kind === "result" ? answer.result : null;
