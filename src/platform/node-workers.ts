// Threads of Node (and of Bun and Deno through their node:worker_threads) that run a WebAssembly export on shared memory.

import { Worker } from "node:worker_threads";
import type { WorkerHandle, WorkerHost, WorkerJob } from "../core/ports.js";

const ENTRY = new URL("./node-worker-entry.js", import.meta.url);

/** The worker host of Node. Idle workers do not keep the process alive. */
export function nodeWorkers(): WorkerHost {
  return { spawnWorker };
}

function spawnWorker(job: WorkerJob): Promise<WorkerHandle> {
  const worker = new Worker(ENTRY, { workerData: job });
  worker.unref();
  return new Promise((resolve, reject) => {
    worker.once("message", () => resolve({ stop: () => worker.terminate().then(() => undefined) }));
    worker.once("error", reject);
  });
}
