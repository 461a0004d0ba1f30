// Starts the coordinator in a worker thread of Node and passes plain values to and fro.

import { Worker } from "node:worker_threads";

export interface CoordinatorHandle<Message, Answer> {
  /** Sends a message to the coordinator. */
  send(message: Message): void;
  /** Resolves with the answer that ended it; rejects when the worker dies. */
  readonly done: Promise<Answer>;
  /** Ends the worker, whatever it does. */
  kill(): Promise<void>;
}

/**
 * Runs `entry` in a worker with `request` as its data. Every message but the last goes to `onMessage`; the one for which
 * `isAnswer` holds resolves `done`.
 */
export function startCoordinator<Message, Event, Answer extends Event>(
  entry: URL,
  request: unknown,
  onMessage: (event: Event) => void,
  isAnswer: (event: Event) => event is Answer,
): CoordinatorHandle<Message, Answer> {
  const worker = new Worker(entry, { workerData: request });
  const done = new Promise<Answer>((resolve, reject) => {
    worker.on("message", (event: Event) => {
      if (isAnswer(event)) resolve(event);
      else onMessage(event);
    });
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`the coordinator ended with code ${code} and no result`)));
  });
  return {
    send: (message) => worker.postMessage(message),
    done: done.finally(() => worker.terminate()),
    kill: async () => {
      await worker.terminate();
    },
  };
}
