// A thread of vanished-worker.test.ts: it coordinates products on two threads whose second thread belongs to the test, which
// ends it in the middle of the work. Posts the job for that thread, then the error's name and message, or "no error".

import { parentPort } from "node:worker_threads";
import { openWasm } from "../../src/backends/wasm.js";
import type { Op, StorageFormat, TensorSpec } from "../../src/core/op.js";
import type { WorkerJob } from "../../src/core/ports.js";
import { nodePlatform } from "../../src/platform/node.js";

const [ROWS, COLS, TOKENS] = [512, 4096, 128];
const spec = (id: number, of: TensorSpec["class"], format: StorageFormat, rows: number, cols: number): TensorSpec => ({
  ...{ id, name: `t${id}`, class: of, part: "decoder", layer: -1, format, rows, cols },
});

/** The test starts the thread and says so. */
function spawnWorker(job: WorkerJob): Promise<{ stop(): Promise<void> }> {
  return new Promise((resolve) => {
    parentPort?.once("message", () => resolve({ stop: async () => {} }));
    parentPort?.postMessage({ job });
  });
}

const backend = await openWasm({ ...nodePlatform(), workers: { spawnWorker } }, { variant: "simd", threads: 2 });
await backend.allocate([
  spec(0, "weights", "f32", ROWS, COLS),
  spec(1, "activations", "f32", TOKENS, COLS),
  spec(2, "activations", "f32", TOKENS, ROWS),
]);
const product: Op = { kind: "matmul", x: 1, xRow: 0, weight: 0, bias: null, out: 2, rows: TOKENS, activations: "f32" };
const submit = () => backend.submit(Array.from({ length: 20 }, () => product));
await submit();
parentPort?.postMessage("at work");
let told = "no error";
try {
  for (let round = 0; round < 100; round++) await submit();
} catch (error) {
  told = `${(error as Error).name}: ${(error as Error).message}`;
}
parentPort?.postMessage({ told });
