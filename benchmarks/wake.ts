// What a sleeping thread costs at least: one thread notifies another that waits (Atomics.wait: a futex) and looks until it has answered.
// Nothing of ours is in between, so fork and join with sleeping workers cannot be faster.

import { Worker } from "node:worker_threads";

/** Answers each call: word 0 is the call's number, word 1 the answer's. */
const SLEEPER = `
const { workerData: words } = require("node:worker_threads");
for (let call = 1; ; call++) {
  while (Atomics.load(words, 0) < call) Atomics.wait(words, 0, call - 1);
  Atomics.store(words, 1, call);
}`;

/** us of `count` wakes, each after a pause in which the thread went to sleep. */
export async function wakeTimes(count: number, pauseMs: number): Promise<readonly number[]> {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(SLEEPER, { eval: true, workerData: words });
  const times: number[] = [];
  try {
    for (let call = 1; call <= count; call++) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const before = process.hrtime.bigint();
      Atomics.store(words, 0, call);
      Atomics.notify(words, 0);
      while (Atomics.load(words, 1) !== call);
      times.push(Number(process.hrtime.bigint() - before) / 1e3);
    }
  } finally {
    await worker.terminate();
  }
  return times;
}
