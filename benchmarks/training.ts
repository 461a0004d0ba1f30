// How fast is the trainer? Its packed matrix product at the shipped model's shapes, and whole optimizer steps of one
// shard, on one thread: `node build/benchmarks/training.js`. GFLOP/s; a step counts 6 x parameters x positions.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureData } from "../scripts/model/fetch.js";
import { defaultPlan, makeStages, modelConfig } from "../scripts/train-plan.js";
import { jointGradient } from "../src/train/joint.js";
import { openTrainModule } from "../src/train/kernels.js";
import { openModel } from "../src/train/model.js";
import { countParameters, parameterTable } from "../src/train/parameters.js";
import { openState, startValues } from "../src/train/state.js";

const rows = 1128;
/** name, m, n, k, A transposed, B transposed, added to C */
const products: readonly (readonly [string, number, number, number, number, number, number])[] = [
  ["q, k, v", rows, 384, 128, 0, 1, 0],
  ["gate, up", rows, 512, 128, 0, 1, 0],
  ["down", rows, 128, 256, 0, 1, 1],
  ["logits", rows, 1024, 128, 0, 1, 0],
  ["gradient of the input of gate, up", rows, 128, 512, 0, 0, 0],
  ["gradient of gate, up", 512, 128, rows, 1, 0, 1],
  ["gradient of the embedding", 1024, 128, rows, 1, 0, 1],
];

/** Median of `count` timings in ms, after two runs that are not counted. */
function medianMs(count: number, run: () => void): number {
  run();
  run();
  const times = Array.from({ length: count }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[Math.floor(count / 2)];
}

const table = parameterTable(modelConfig);
const state = openState(await openTrainModule(readFileSync(join("build", "train.wasm"))), table);
startValues(state, 1);
const { arena, kernels } = state;

for (const [name, m, n, k, transA, transB, adds] of products) {
  const [a, b, c] = [m * k, k * n, m * n].map((count, i) => {
    const address = arena.alloc(count);
    kernels.normal(address, count, 0.1, 1, i);
    return address;
  });
  const ms = medianMs(15, () =>
    kernels.gemm(m, n, k, a, transA ? m : k, transA, b, transB ? k : n, transB, c, n, adds, 0),
  );
  process.stdout.write(`${((2 * m * n * k) / ms / 1e6).toFixed(1).padStart(6)} GFLOP/s  ${name} ${m} x ${n} x ${k}\n`);
}

const joint = makeStages(defaultPlan, ensureData())[1];
const model = openModel(state, modelConfig, joint.rateOf);
const batch = joint.source(0, 0);
const { positions, visionRows } = jointGradient(state, model, batch);
const decoderFlop = 6 * countParameters(table, ["language_model."]) * positions;
const visionFlop = 6 * countParameters(table, ["vision_tower.", "multi_modal_projector."]) * visionRows;
const ms = medianMs(5, () => {
  jointGradient(state, model, batch);
});
const rate = (decoderFlop + visionFlop) / ms / 1e6;
process.stdout.write(
  `${rate.toFixed(1).padStart(6)} GFLOP/s  one shard of a step, ${positions} positions, ${ms.toFixed(0)} ms\n`,
);
