// A thread of trapping-worker.test.ts: attention on two threads whose worker has a scratch outside of the memory, so that
// it traps in the middle of a job. Posts the error's name and message, or "no error".

import { parentPort } from "node:worker_threads";
import { openWasm } from "../../src/backends/wasm.js";
import type { Op, TensorSpec } from "../../src/core/op.js";
import type { WorkerJob } from "../../src/core/ports.js";
import { nodePlatform } from "../../src/platform/node.js";

const [ROWS, HEADS, HEAD_DIM] = [128, 4, 32];
const cols = HEADS * HEAD_DIM;
const spec = (id: number, of: TensorSpec["class"]): TensorSpec => ({
  ...{ id, name: `t${id}`, class: of, part: "decoder", layer: -1, format: "f32", rows: ROWS, cols },
});

const platform = nodePlatform();
const { workers } = platform;
if (!workers) throw new Error("Node has workers");
const outside = 3 * 2 ** 30;
const spawnWorker = (job: WorkerJob) => workers.spawnWorker({ ...job, args: [job.args[0] ?? 0, outside] });
const backend = await openWasm({ ...platform, workers: { spawnWorker } }, { variant: "simd", threads: 2 });
await backend.allocate([spec(0, "activations"), spec(1, "kv"), spec(2, "kv"), spec(3, "activations")]);
const attention: Op = {
  kind: "attention",
  ...{ q: 0, k: 1, v: 2, out: 3, rows: ROWS, start: 0, context: ROWS, causal: true },
  ...{ heads: HEADS, kvHeads: HEADS, headDim: HEAD_DIM },
};
let told = "no error";
try {
  // The worker may sleep through a job; some 100 ms of them it does not.
  for (let round = 0; round < 1000; round++) await backend.submit([attention]);
} catch (error) {
  told = `${(error as Error).name}: ${(error as Error).message}`;
}
await backend.close();
parentPort?.postMessage(told);
