// First file of a thread that node-workers.ts starts: puts the module on the shared memory and calls the export.

import { parentPort, workerData } from "node:worker_threads";
import type { WorkerJob } from "../core/ports.js";

const job = workerData as WorkerJob;
const instance = new WebAssembly.Instance(job.module, { env: { memory: job.memory } });
parentPort?.postMessage("ready");
const call = (name: string) => (instance.exports[name] as (...args: number[]) => void)(...job.args);
try {
  call(job.entry);
} catch (error) {
  // The thread that waits for this one is inside WebAssembly and hears no event: the module itself tells it.
  if (job.onTrap === undefined) throw error;
  call(job.onTrap);
}
