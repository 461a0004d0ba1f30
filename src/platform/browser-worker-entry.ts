// First file of a thread that browser-workers.ts starts: puts the module on the shared memory and calls the export.

import type { WorkerJob } from "../core/ports.js";

globalThis.onmessage = ({ data: job }: MessageEvent<WorkerJob>) => {
  const instance = new WebAssembly.Instance(job.module, { env: { memory: job.memory } });
  postMessage("ready");
  const call = (name: string) => (instance.exports[name] as (...args: number[]) => void)(...job.args);
  try {
    call(job.entry);
  } catch (error) {
    // As in node-worker-entry.ts: the module itself tells the thread that waits.
    if (job.onTrap === undefined) throw error;
    call(job.onTrap);
  }
};
