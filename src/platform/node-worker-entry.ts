// First file of a thread that node-workers.ts starts: puts the module on the shared memory and calls the export.

import { parentPort, workerData } from "node:worker_threads";
import type { WorkerJob } from "../core/ports.js";

const job = workerData as WorkerJob;
const instance = new WebAssembly.Instance(job.module, { env: { memory: job.memory } });
parentPort?.postMessage("ready");
(instance.exports[job.entry] as (...args: number[]) => void)(...job.args);
