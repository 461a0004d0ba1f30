// Ops that run as one job leave the bits that they leave one after the other, on every build, on one thread and two: the
// shipped model's logits, and op lists made so that matrices share activations, or only seem to.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { type PlanCache, stepsOf } from "../../src/backends/wasm/fuse.js";
import { loadKernels } from "../../src/backends/wasm/kernels.js";
import { layOut } from "../../src/backends/wasm/state.js";
import { wasmTargets } from "../../src/backends/wasm/variants.js";
import { openWasm, type WasmVariant } from "../../src/backends/wasm.js";
import type { ActivationFormat, Op, StorageFormat, TensorId } from "../../src/core/op.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { type Case, caseBuilder, runCase } from "../conformance/case.js";
import { plainQuantizer } from "../conformance/quantizer.js";

const platform = nodePlatform();
const targets = (await wasmTargets(platform, 2)).filter(({ available }) => available).map(({ target }) => target);
const open = (variant: string | undefined, threads: number, fused: boolean) =>
  openWasm(platform, { variant: variant as WasmVariant, threads, fused });

/** rmsnorm, three products, swiglu of the first two, a product of that into the residual; wide enough for two threads from 600 columns on. */
function layer(format: StorageFormat, activations: ActivationFormat, rows: number, cols: number, seed: number): Case {
  const b = caseBuilder(seed);
  const [x, gain, normed] = [b.input(rows, cols), b.input(1, cols), b.input(rows, cols)];
  const bias = b.input(1, 200);
  const weights = [b.weight(format, 200, cols), b.weight(format, 200, cols), b.weight(format, 13, cols)];
  const outs = [b.input(rows, 200), b.input(rows, 200), b.input(rows, 13)];
  const down = b.weight(format, cols, 200);
  const product = (from: TensorId, weight: TensorId, out: TensorId, added: TensorId | null = null): Op => {
    return { kind: "matmul", x: from, xRow: 0, weight, bias: added, out, rows, activations };
  };
  const ops: Op[] = [
    { kind: "rmsnorm", x, xRow: 0, weight: gain, out: normed, rows, eps: 1e-5 },
    ...weights.map((weight, i) => product(normed, weight, outs[i], i === 1 ? bias : null)),
    { kind: "swiglu", gate: outs[0], up: outs[1], out: outs[0], rows },
    // Writes what the rmsnorm would read in a second turn.
    product(outs[0], down, x),
    { kind: "rmsnorm", x, xRow: 0, weight: gain, out: normed, rows, eps: 1e-5 },
    product(normed, weights[0], outs[0]),
  ];
  return b.done(`${format} ${activations} ${rows} ${cols}`, 0, ops, x, normed, ...outs);
}

const FORMATS: readonly StorageFormat[] = ["f32", "int8", "int4-g16", "int4-g32", "int4-g64", "int4-g128"];
const cases = FORMATS.flatMap((format, i) =>
  (["f32", "int8"] as const).flatMap((activations) =>
    (
      [
        [1, 700],
        [3, 128],
        [5, 100],
        [130, 60],
      ] as const
    ).map(([rows, cols]) => layer(format, activations, rows, cols, i)),
  ),
);

const bytesOf = (values: Float32Array | Int32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

for (const { variant, threads = 1 } of targets) {
  test(`op lists, ${variant}, ${threads} threads`, async () => {
    for (const entry of cases) {
      const wanted = await runCase(await open(variant, threads, false), entry);
      const got = await runCase(await open(variant, threads, true), entry);
      for (const [i, values] of got.entries()) {
        assert.ok(values.every(Number.isFinite), entry.name);
        assert.ok(bytesOf(values).equals(bytesOf(wanted[i])), `${entry.name}, output ${i}`);
      }
    }
  });

  test(`the shipped model, ${variant}, ${threads} threads`, async () => {
    for (const activations of ["f32", "int8"] as const) {
      const wanted = await shippedLogits(variant, threads, false, activations);
      const got = await shippedLogits(variant, threads, true, activations);
      for (const [i, row] of got.entries())
        assert.ok(bytesOf(row).equals(bytesOf(wanted[i])), `${activations}, row ${i}`);
    }
  });
}

async function shippedLogits(
  variant: string | undefined,
  threads: number,
  fused: boolean,
  activations: ActivationFormat,
) {
  const backend = await open(variant, threads, fused);
  const model = await openModel(platform, platform.packagePath("models/nibblemark-llava-2m"));
  const parts = { backend, quantizer: plainQuantizer, readFloat32 };
  const session = openSession(await loadModel(model, parts, { plan: planOf("int4-g32"), activations, context: 64 }));
  const rows = [await session.logits([1, 203, 77, 500, 12]), await session.logits([321]), await session.logits([654])];
  await backend.close();
  await closeModel(model);
  return rows;
}

test("what runs together: three products of one input with their norm, a product with its swiglu; found once a shape", async () => {
  const { tensors, ops } = layer("int4-g32", "int8", 3, 128, 1);
  const state = layOut(await loadKernels(platform, "simd"), tensors, 1);
  const cache: PlanCache = [];
  const steps = stepsOf(state, cache, ops);
  assert.equal(
    steps.slice(0, 3).map(({ source, products }) => [source, products]),
    [
      [true, 3],
      [true, 1],
      [true, 1],
    ],
  );
  assert.is(stepsOf(state, cache, structuredClone(ops)), steps);
  assert.is(cache.length, 1);
  const other = ops.map((op) => (op.kind === "matmul" ? { ...op, rows: 2 } : op));
  assert.is.not(stepsOf(state, cache, other), steps);
});

test("what only seems to: outputs that are inputs of the same job", async () => {
  const b = caseBuilder(3);
  const [x, y] = [b.input(2, 64), b.input(2, 64)];
  const [gain, w] = [b.input(1, 64), b.weight("int4-g32", 64, 64)];
  const product = (from: TensorId, out: TensorId, bias: TensorId | null = null): Op => {
    return { kind: "matmul", x: from, xRow: 0, weight: w, bias, out, rows: 2, activations: "int8" };
  };
  const norm: Op = { kind: "rmsnorm", x, xRow: 0, weight: gain, out: y, rows: 2, eps: 1e-5 };
  const z = b.input(2, 64);
  const { tensors } = b.done("", 0, []);
  const state = layOut(await loadKernels(platform, "simd"), tensors, 1);
  const sizes = (...ops: Op[]) =>
    stepsOf(state, [], ops).map(({ source, products }) => (source ? products + 1 : products));
  assert.equal(sizes(product(x, z), product(x, z)), [1, 1]);
  assert.equal(sizes(product(x, z), product(x, x)), [1, 0]);
  assert.equal(sizes(product(x, z), product(x, y, z)), [1, 1]);
  assert.equal(sizes(norm, product(y, x)), [0, 1]);
  assert.equal(sizes(norm, product(x, z)), [0, 1]);
  assert.equal(sizes(norm, product(y, z), product(y, gain)), [2, 1]);
});

test.run();
