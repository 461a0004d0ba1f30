// Runs of a program that nobody watches, quietly: what the watched run is compared with.

import { fstatSync, statSync } from "node:fs";
import type { LaunchCommand } from "../../core/counters.js";
import { InputError } from "../../core/errors.js";
import type { NativeAddon } from "../../core/native.js";
import type { Clock } from "../../core/ports.js";
import type { ProgramEnd, RunTimes } from "../../core/watch.js";
import { summarize } from "../../stats/summary.js";
import { startProgram, type WatchedProcess } from "./watched-process.js";

/** A program that failed: nothing can be said of its time. */
export class ProgramFailed extends Error {
  override readonly name = "ProgramFailed";
  constructor(
    readonly program: string,
    readonly end: ProgramEnd,
  ) {
    super(`${program} ${endText(end)}: no figures from a failed run`);
  }
}

export function endText({ code, signal }: ProgramEnd): string {
  return signal === null ? `failed with exit code ${code}` : `was ended by ${signal}`;
}

export interface PlainOptions {
  readonly count: number;
  readonly node: number | null;
  /** Told of the process that runs now, so that signals can be handed on. */
  readonly onStart: (process: WatchedProcess) => void;
}

/**
 * Whether plain runs can have the input of the watched one: a regular file is opened anew for each, and /dev/null is itself. A socket
 * or terminal gives a note, as few programs read it there. Throws InputError for the pipe of a shell, which is read but once.
 */
export function inputNotes(): readonly string[] {
  const input = (() => {
    try {
      return fstatSync(0);
    } catch {
      return null;
    }
  })();
  if (input?.isFIFO()) {
    const remedy = "Redirect it from a file (< FILE), or from < /dev/null where the program reads none.";
    throw new InputError("nibblemark exec", "standard input", "is a pipe, and several runs cannot all read it", remedy);
  }
  const isNothing = input === null || input.isFile() || input.rdev === statSync("/dev/null").rdev;
  return isNothing ? [] : ["runs alone had no input: times are wrong if the program reads any (use < FILE)"];
}

/** Runs a program `count` times with standard files of /dev/null, but its own opening of an input file. Throws ProgramFailed. */
export async function plainRuns(
  addon: NativeAddon,
  clock: Clock,
  command: LaunchCommand,
  { count, node, onStart }: PlainOptions,
): Promise<RunTimes> {
  const samplesNs: number[] = [];
  let cpuNs = 0;
  for (let i = 0; i < count; i++) {
    const program = startProgram(addon, command, { cgroupProcs: "", node, quiet: true });
    try {
      onStart(program);
      const startNs = clock.nowNs();
      program.begin();
      while (!(await program.wait(1e9)));
      samplesNs.push(clock.nowNs() - startNs);
      const end = program.end();
      cpuNs += (program.cpuNs() ?? 0) / count;
      if (end && (end.code !== 0 || end.signal !== null)) throw new ProgramFailed(command.file, end);
    } finally {
      program.close();
    }
  }
  const sorted = [...samplesNs].sort((a, b) => a - b);
  const [least, most] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  return { samplesNs, medianNs: summarize(samplesNs).median, cpuNs, rangeNs: [least, most] };
}

/** Bit of a NUMA node as --bind names it: `node1` or `1`. Throws InputError that lists the nodes there are. */
export function nodeNumber(text: string, known: readonly number[]): number {
  const number = Number(/^(?:node)?(\d{1,2})$/.exec(text)?.[1] ?? Number.NaN);
  if (known.includes(number)) return number;
  const list = known.map((node) => `node${node}`).join(", ") || "none";
  throw new InputError("nibblemark exec", "--bind", `"${text}" is no NUMA node here`, `Nodes with memory: ${list}.`);
}
