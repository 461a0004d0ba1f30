// Threads of a page that run a WebAssembly export on shared memory: module workers, which bundlers find by this form of URL.

import type { WorkerHandle, WorkerHost, WorkerJob } from "../core/ports.js";

/** The worker host of a page that is cross-origin isolated. */
export function browserWorkers(): WorkerHost {
  return { spawnWorker };
}

function spawnWorker(job: WorkerJob): Promise<WorkerHandle> {
  const worker = new Worker(new URL("./browser-worker-entry.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve({ stop: async () => worker.terminate() });
    worker.onerror = (event) => reject(new Error(event.message || "a worker could not be started"));
    worker.postMessage(job);
  });
}
