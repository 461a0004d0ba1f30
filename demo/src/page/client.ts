// The page's end of the worker: requests with numbers, events to listeners, and what each piece of work waits for.

import type { Answer, Event, Request, Work } from "../protocol.js";

/** Work as the page speaks of it. */
const NAMES: Readonly<Record<Work["kind"], string>> = {
  open: "the model is loaded",
  ask: "the answer has ended",
  picture: "the other picture is read",
  bench: "the benchmark has ended",
  calibrate: "the calibration has ended",
};

export interface WorkOptions {
  /** Its abort stops this work and no other, whether it runs or waits. */
  readonly signal?: AbortSignal;
  /** Told at once and when its turn comes: what must end before it, such as "the benchmark has ended"; null: it begins. */
  readonly onTurn?: (waitsUntil: string | null) => void;
}

interface Pending {
  readonly kind: Work["kind"];
  readonly resolve: (answer: Answer) => void;
  readonly begin: () => void;
}

type Listener<K extends Event["kind"]> = (event: Extract<Event, { kind: K }>) => void;

export interface Client {
  send(request: Request): void;
  /** Resolves with the answer; a failure is an answer too. */
  work(work: Work, options?: WorkOptions): Promise<Answer>;
  /** What the worker is at: it does one piece after another. */
  running(): Work["kind"] | null;
  /** Hears events of a kind, and the last one that came before. */
  on<K extends Event["kind"]>(kind: K, listener: Listener<K>): void;
}

/** Starts the worker. `onDeath` hears why it ended by itself; nothing is answered from then on. */
export function startClient(onDeath: (message: string) => void): Client {
  const worker = new Worker(new URL("../worker/main.ts", import.meta.url), { type: "module" });
  /** The first one runs. */
  const pending = new Map<number, Pending>();
  const listeners = new Map<string, ((event: never) => void)[]>();
  const latest = new Map<string, Event>();
  let last = 0;
  const first = (): Pending | undefined => pending.values().next().value;
  worker.onmessage = ({ data }: MessageEvent<Event>) => {
    if (data.kind === "done") {
      const wasFirst = first() === pending.get(data.id);
      pending.get(data.id)?.resolve(data.answer);
      pending.delete(data.id);
      if (wasFirst) first()?.begin();
    }
    latest.set(data.kind, data);
    for (const listener of listeners.get(data.kind) ?? []) listener(data as never);
  };
  worker.onerror = (event) => {
    const message = event.message || "the worker could not be started";
    for (const { resolve } of pending.values()) resolve({ kind: "failed", message });
    pending.clear();
    onDeath(message);
  };
  const send = (request: Request) => worker.postMessage(request);
  return {
    send,
    work(work, { signal, onTurn = () => {} } = {}) {
      const id = ++last;
      onTurn(pending.size === 0 ? null : NAMES[(first() as Pending).kind]);
      signal?.addEventListener("abort", () => send({ kind: "stop", id }));
      return new Promise((resolve) => {
        pending.set(id, { kind: work.kind, resolve, begin: () => onTurn(null) });
        send({ kind: "work", id, work });
      });
    },
    running: () => first()?.kind ?? null,
    on(kind, listener) {
      listeners.set(kind, [...(listeners.get(kind) ?? []), listener as (event: never) => void]);
      const before = latest.get(kind);
      if (before) (listener as (event: Event) => void)(before);
    },
  };
}
