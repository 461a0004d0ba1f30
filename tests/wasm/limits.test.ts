// What does not fit or belong is an input error that names the tensor; addresses above 2 GiB work.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWasm } from "../../src/backends/wasm.js";
import { InputError } from "../../src/core/errors.js";
import type { StorageFormat, TensorSpec } from "../../src/core/op.js";
import { nodePlatform } from "../../src/platform/node.js";

const spec = (id: number, of: TensorSpec["class"], format: StorageFormat, rows: number, cols: number): TensorSpec => ({
  ...{ id, name: `tensor ${id}`, class: of, part: "decoder", layer: -1, format, rows, cols },
});

const open = () => openWasm(nodePlatform(), { variant: "simd", threads: 1 });

async function inputError(action: () => Promise<unknown>): Promise<InputError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("more than 4 GiB is refused with its size", async () => {
  const backend = await open();
  const error = await inputError(() => backend.allocate([spec(0, "weights", "f32", 40000, 40000)]));
  assert.match(error.message, "5.9");
});

test("an upload of another format or shape names the tensor", async () => {
  const backend = await open();
  await backend.allocate([spec(0, "weights", "int8", 4, 4)]);
  const values = new Float32Array(16);
  const error = await inputError(() => backend.upload(0, { kind: "f32", rows: 4, cols: 4, values }));
  assert.is(error.source, "tensor 0");
});

test("rows past the end and tokens outside the vocabulary are refused", async () => {
  const backend = await open();
  await backend.allocate([spec(0, "weights", "f32", 4, 4), spec(1, "activations", "f32", 2, 4)]);
  assert.throws(() => backend.write(1, new Float32Array(4), 2));
  const embed = { kind: "embed", table: 0, out: 1, outRow: 0 } as const;
  await inputError(() => backend.submit([{ ...embed, tokens: [4] }]));
  await inputError(() => backend.submit([{ ...embed, tokens: [0, 1, 2] }]));
});

test("tensors above 2 GiB are computed with", async () => {
  const backend = await open();
  await backend.allocate([
    spec(0, "weights", "f32", 24000, 24000),
    spec(1, "weights", "f32", 8, 4),
    spec(2, "activations", "f32", 1, 4),
    spec(3, "activations", "f32", 1, 8),
  ]);
  await backend.upload(1, { kind: "f32", rows: 8, cols: 4, values: Float32Array.from({ length: 32 }, (_, i) => i) });
  backend.write(2, Float32Array.of(1, 0, 0, 2));
  const { outputs } = await backend.submit([
    { kind: "matmul", x: 2, xRow: 0, weight: 1, bias: null, out: 3, rows: 1, activations: "f32" },
    { kind: "output", x: 3, xRow: 0, rows: 1, as: "values" },
  ]);
  assert.equal([...outputs[0]], [6, 18, 30, 42, 54, 66, 78, 90]);
  await backend.close();
});

test("without threads to share memory the backend says why it runs on one", async () => {
  const { workers: _, ...platform } = nodePlatform();
  const backend = await openWasm(platform, { variant: "simd", threads: 2 });
  assert.is(backend.target.threads, 1);
  assert.match(backend.threadsReason ?? "", "threads");
});

test.run();
