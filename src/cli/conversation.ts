// One request to the coordinator, with progress shown and Ctrl-C passed on: the first asks it to stop and give what it
// has, the second ends the program.

import { type CoordinatorHandle, startCoordinator } from "../hosts/node.js";
import {
  type ClientMessage,
  type CoordinatorEvent,
  errorOf,
  type FinalEvent,
  isFinal,
  type Request,
} from "./protocol.js";
import type { ProgressBar } from "./terminal.js";

const ENTRY = new URL("./coordinator.js", import.meta.url);
/** Exit code of a program ended by SIGINT (128 + 2). */
export const INTERRUPTED = 130;

type Failure = Extract<FinalEvent, { kind: "input-error" | "unavailable" | "crash" }>;
export type Success = Exclude<FinalEvent, Failure>;

const isFailure = (event: FinalEvent): event is Failure =>
  event.kind === "input-error" || event.kind === "unavailable" || event.kind === "crash";

/** Starts a coordinator on a host: a worker thread of this process, or a page. */
export type Start = (
  request: Request,
  onMessage: (event: CoordinatorEvent) => void,
) => CoordinatorHandle<ClientMessage, FinalEvent>;

const startHere: Start = (request, onMessage) =>
  startCoordinator<ClientMessage, CoordinatorEvent, FinalEvent>(ENTRY, request, onMessage, isFinal);

/** Asks and waits. Throws the typed error the coordinator met. */
export async function converse(
  request: Request,
  bar: ProgressBar,
  onText: (text: string) => void = () => {},
  start: Start = startHere,
): Promise<Success> {
  const coordinator = start(request, (event) => {
    if (event.kind === "progress") bar.show(event.progress);
    else if (event.kind === "text") onText(event.text);
  });
  const stop = () => coordinator.send({ kind: "stop" });
  const event = await withInterrupt(bar, stop, () => coordinator.done);
  if (isFailure(event)) throw errorOf(event);
  return event;
}

/** Does `work`; the first Ctrl-C asks it to stop, the second ends the program. */
export async function withInterrupt<T>(bar: ProgressBar, stop: () => void, work: () => Promise<T>): Promise<T> {
  let asked = false;
  const interrupt = () => {
    bar.clear();
    if (asked) process.exit(INTERRUPTED);
    asked = true;
    process.stderr.write("stopping after this step; press Ctrl-C again to leave at once\n");
    stop();
  };
  process.on("SIGINT", interrupt);
  try {
    return await work();
  } finally {
    process.off("SIGINT", interrupt);
    bar.clear();
  }
}
