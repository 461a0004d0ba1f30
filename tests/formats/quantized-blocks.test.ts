// Forms whose values need more than an f16 scale and four bits: f32 scales, 8 bits, NF4's codebook.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackBlocks } from "../../src/backends/reference/blocks.js";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { settled } from "../../src/core/stored.js";
import type { LazyTensor } from "../../src/core/tensor.js";
import { splitQuantized } from "../../src/formats/hf-quantized.js";
import { AWQ_ORDER, packOutputs, repacker, tensor } from "./quantized-tensors.js";

const q = (k: number, n: number) => (3 * k + 5 * n + 1) % 16;

const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

/** Whatever form the matrix has, [rows * cols]. */
async function readAny(settings: object, tensors: readonly LazyTensor[], key = "quantization_config") {
  const { stored } = await splitQuantized("config.json", { [key]: settings }, tensors);
  const matrix = (await settled(stored)).get("m.weight");
  const data = await matrix?.read(repacker);
  if (!data || data.kind === "f32" || data.kind === "int8") throw new Error("no packed matrix");
  return {
    format: matrix?.format,
    values: data.kind === "blocks" ? unpackBlocks(data) : unpackInt4(data),
  };
}

test("scales that f16 cannot hold keep their values in f32", async () => {
  const settings = { quant_method: "awq", bits: 4, group_size: 32, zero_point: false, version: "gemm" };
  const step = Float32Array.from({ length: 8 }, (_, n) => 0.1 + n);
  const codes = Uint32Array.from({ length: 32 }, (_, k) => packOutputs((n) => q(k, n), 8, AWQ_ORDER)[0]);
  const { format, values } = await readAny(settings, [
    tensor("m.qweight", "i32", [32, 1], codes),
    tensor("m.scales", "f32", [1, 8], step),
  ]);
  assert.is(format, "zero4");
  for (let n = 0; n < 8; n++) {
    for (let k = 0; k < 32; k++) assert.is(values[n * 32 + k], Math.fround(step[n] * (q(k, n) - 8)) + 0);
  }
});

test("MLX with 8 bits", async () => {
  const codes = Uint8Array.from({ length: 64 }, (_, k) => (k * 37) % 256);
  const { format, values } = await readAny(
    { group_size: 32, bits: 8 },
    [
      tensor("m.weight", "u32", [1, 16], codes),
      tensor("m.scales", "f32", [1, 2], Float32Array.of(0.1, -0.3)),
      tensor("m.biases", "f32", [1, 2], Float32Array.of(-7, 2.7)),
    ],
    "quantization",
  );
  assert.is(format, "affine8");
  const [steps, edges] = [Float32Array.of(0.1, -0.3), Float32Array.of(-7, 2.7)];
  codes.forEach((code, k) => {
    const g = k >> 5;
    assert.is(values[k], Math.fround(Math.fround(steps[g] * code) + edges[g]));
  });
});

test("NF4: golden bytes, single and double quantization", async () => {
  const golden = Array.from({ length: 64 }, (_, k) => 0.1 * (((7 * k) % 13) - 6));
  const nearest = (x: number) =>
    NF4.reduce((best, value, i) => (Math.abs(value - x) < Math.abs(NF4[best] - x) ? i : best), 0);
  const codes = golden.map((value) => nearest(value / 0.6));
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => codes[2 * i] * 16 + codes[2 * i + 1]);
  assert.equal([...bytes.subarray(0, 8)], [0x09, 0x1b, 0x1c, 0x2e, 0x4e, 0x5f, 0x70, 0x91]);
  const state = (extra: object) => {
    const text = JSON.stringify({ shape: [1, 64], blocksize: 64, dtype: "float16", quant_type: "nf4", ...extra });
    const encoded = new TextEncoder().encode(text);
    return tensor("m.weight.quant_state.bitsandbytes__nf4", "u8", [encoded.length], encoded);
  };
  const settings = { quant_method: "bitsandbytes", load_in_4bit: true, bnb_4bit_quant_type: "nf4" };
  const map = tensor("m.weight.quant_map", "f32", [16], Float32Array.from(NF4));
  const weight = tensor("m.weight", "u8", [32, 1], bytes);
  const single = await readAny(settings, [
    weight,
    map,
    state({}),
    tensor("m.weight.absmax", "f32", [1], Float32Array.of(0.6)),
  ]);
  const first = [-0.6, 0.09655812, -0.4177157, 0.20274915];
  for (const [i, value] of first.entries()) assert.ok(Math.abs(single.values[i] - value) < 1e-7, `${single.values[i]}`);
  const nestedMap = new Float32Array(256);
  nestedMap[7] = 0.25;
  const double = await readAny(settings, [
    weight,
    map,
    state({ nested_blocksize: 256, nested_offset: 0.1 }),
    tensor("m.weight.absmax", "u8", [1], Uint8Array.of(7)),
    tensor("m.weight.nested_absmax", "f32", [1], Float32Array.of(2)),
    tensor("m.weight.nested_quant_map", "f32", [256], nestedMap),
  ]);
  assert.equal(double.values, single.values);
});

test.run();
