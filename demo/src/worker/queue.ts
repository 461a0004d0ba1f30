// One piece of work after another. A stop names the piece that it means: one that runs is told, one that waits never begins,
// and no other is touched.

import type { Answer } from "../protocol.js";

export interface WorkQueue {
  /** @param body gives the answer; it must not throw */
  add(id: number, body: () => Promise<Answer>): void;
  stop(id: number): void;
  /** Whether the piece that runs is to stop. */
  stopped(): boolean;
}

/** @param done hears the answer of each piece, once */
export function openQueue(done: (id: number, answer: Answer) => void): WorkQueue {
  const waiting = new Set<number>();
  let running: { readonly id: number; stopped: boolean } | null = null;
  let last: Promise<void> = Promise.resolve();
  return {
    add(id, body) {
      waiting.add(id);
      last = last.then(async () => {
        if (!waiting.delete(id)) return;
        running = { id, stopped: false };
        const answer = await body();
        running = null;
        done(id, answer);
      });
    },
    stop(id) {
      if (waiting.delete(id)) done(id, { kind: "stopped" });
      else if (running?.id === id) running.stopped = true;
    },
    stopped: () => running?.stopped ?? false,
  };
}
