// The page's end of the worker: requests with numbers, events to listeners.

import type { Answer, Event, Request, Work } from "../protocol.js";

type Listener<K extends Event["kind"]> = (event: Extract<Event, { kind: K }>) => void;

export interface Client {
  send(request: Request): void;
  /** Resolves with the answer; a failure is an answer too. */
  work(work: Work, transfer?: readonly Transferable[]): Promise<Answer>;
  /** Hears events of a kind, and the last one that came before. */
  on<K extends Event["kind"]>(kind: K, listener: Listener<K>): void;
}

/** Starts the worker. `onDeath` hears why it ended by itself; nothing is answered from then on. */
export function startClient(onDeath: (message: string) => void): Client {
  const worker = new Worker(new URL("../worker/main.ts", import.meta.url), { type: "module" });
  const waiting = new Map<number, (answer: Answer) => void>();
  const listeners = new Map<string, ((event: never) => void)[]>();
  const latest = new Map<string, Event>();
  let last = 0;
  worker.onmessage = ({ data }: MessageEvent<Event>) => {
    if (data.kind === "done") {
      waiting.get(data.id)?.(data.answer);
      waiting.delete(data.id);
    }
    latest.set(data.kind, data);
    for (const listener of listeners.get(data.kind) ?? []) listener(data as never);
  };
  worker.onerror = (event) => {
    const message = event.message || "the worker could not be started";
    for (const resolve of waiting.values()) resolve({ kind: "failed", message });
    waiting.clear();
    onDeath(message);
  };
  const send = (request: Request, transfer: readonly Transferable[] = []) => worker.postMessage(request, [...transfer]);
  return {
    send: (request) => send(request),
    work(work, transfer) {
      const id = ++last;
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        send({ kind: "work", id, work }, transfer);
      });
    },
    on(kind, listener) {
      listeners.set(kind, [...(listeners.get(kind) ?? []), listener as (event: never) => void]);
      const before = latest.get(kind);
      if (before) (listener as (event: Event) => void)(before);
    },
  };
}
