// Quantized forms of Hugging Face folders: the golden vectors of their layouts, packed without loss of a value.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import type { PackedInt4 } from "../../src/core/packed.js";
import type { DType, LazyTensor } from "../../src/core/tensor.js";
import { splitQuantized } from "../../src/formats/hf-quantized.js";
import { uniform } from "../../src/model/sample.js";
import { halfToNumber, toHalf } from "../conformance/quantizer.js";
import { refuses } from "../support/refuses.js";
import { AWQ_ORDER, packOutputs, repacker, tensor, words } from "./quantized-tensors.js";

const halves = (values: readonly number[]) => Uint16Array.from(values, toHalf);

async function read(settings: object, tensors: readonly LazyTensor[], key = "quantization_config") {
  const { stored, plain } = await splitQuantized("config.json", { [key]: settings }, tensors);
  const matrix = stored.get("m.weight");
  if (!matrix) throw new Error(`no m.weight in ${[...stored.keys()]}`);
  const values = unpackInt4((await matrix.read(repacker)) as PackedInt4);
  return { matrix, plain, at: (row: number, col: number) => values[row * matrix.cols + col] };
}

/** Golden matrices have groups of 2 and 8; records have at least 16: the tests' own are built around their words. */
const COLS = 32;
const q = (k: number, n: number) => (3 * k + 5 * n + 1) % 16;
const scale = (g: number, n: number) => 0.5 + 0.125 * ((g + n) % 4);
test("AutoAWQ: words of the golden vector, values (q - z) s", async () => {
  const rows = 16;
  const zero = (g: number, n: number) => (7 * g + n) % 16;
  const qweight = Uint32Array.from(
    Array.from({ length: COLS }, (_, k) => packOutputs((n) => q(k, n), rows, AWQ_ORDER)).flat(),
  );
  // Rows 0..3 of reference/compression.md's vector, made with AutoAWQ's own order.
  assert.equal(
    [...qweight.subarray(0, 8)],
    [...words("4a06f5b1 c28e7d39 7d3928e4 f5b1a06c a06c5b17 28e4d39f d39f8e4a 5b1706c2")],
  );
  const qzeros = Uint32Array.from([0, 1].flatMap((g) => packOutputs((n) => zero(g, n), rows, AWQ_ORDER)));
  assert.equal([...qzeros], [...words("75316420 fdb9eca8 eca8db97 6420531f")]);
  const scales = halves([0, 1].flatMap((g) => Array.from({ length: rows }, (_, n) => scale(g, n))));
  const { matrix, at } = await read(
    { quant_method: "awq", bits: 4, group_size: 16, zero_point: true, version: "gemm" },
    [
      tensor("m.qweight", "i32", [COLS, 2], qweight),
      tensor("m.qzeros", "i32", [2, 2], qzeros),
      tensor("m.scales", "f16", [2, rows], scales),
    ],
  );
  assert.equal(
    [matrix.format, matrix.offset, matrix.rows, matrix.cols, matrix.label],
    ["int4-g16", "zeroU4", 16, 32, "AWQ g16"],
  );
  assert.equal(
    Array.from({ length: 8 }, (_, n) => at(n, 0)),
    [0.5, 3.125, 6.75, -2.625, 0.5, 3.125, 6.75, -2.625],
  );
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < COLS; k++) {
      const g = Math.floor(k / 16);
      assert.is(at(n, k), (q(k, n) - zero(g, n)) * scale(g, n), `${n} ${k}`);
    }
  }
});

for (const [form, shift] of [
  ["gptq", 1],
  ["gptq_v2", 0],
] as const) {
  for (const sorted of [false, true]) {
    test(`GPTQ ${form}${sorted ? " with act-order" : ""}`, async () => {
      const rows = 8;
      const zero = (g: number, n: number) => 1 + ((3 * g + n) % 15);
      const random = uniform(3);
      const index = Int32Array.from({ length: COLS }, (_, k) => Math.floor(k / 16));
      if (sorted) index.sort(() => random() - 0.5);
      const group = (k: number) => index[k];
      const qweight = Uint32Array.from({ length: (COLS / 8) * rows }, (_, i) => {
        const [word, n] = [Math.floor(i / rows), i % rows];
        return Array.from({ length: 8 }, (_, j) => q(word * 8 + j, n) * 16 ** j).reduce((a, b) => a + b);
      });
      assert.equal(
        [...qweight.subarray(0, 8)],
        [...words("630da741 b852fc96 0da741eb 52fc9630 a741eb85 fc9630da 41eb852f 9630da74")],
      );
      const straight = [0, 1, 2, 3, 4, 5, 6, 7];
      const qzeros = Uint32Array.from([0, 1].flatMap((g) => packOutputs((n) => zero(g, n) - shift, rows, straight)));
      assert.equal([...qzeros], [...words(shift ? "76543210 a9876543" : "87654321 ba987654")]);
      const scales = halves([0, 1].flatMap((g) => Array.from({ length: rows }, (_, n) => scale(g, n))));
      const settings = { quant_method: "gptq", bits: 4, group_size: 16, desc_act: sorted, checkpoint_format: form };
      const { matrix, at } = await read(settings, [
        tensor("m.qweight", "i32", [COLS / 8, rows], qweight),
        tensor("m.qzeros", "i32", [2, 1], qzeros),
        tensor("m.scales", "f16", [2, rows], scales),
        tensor("m.g_idx", "i32", [COLS], index),
      ]);
      assert.is(matrix.permuted, sorted);
      const order = await matrix.order();
      assert.equal(
        [...order].sort((a, b) => a - b),
        Array.from({ length: COLS }, (_, k) => k),
      );
      for (let n = 0; n < rows; n++) {
        order.forEach((k, c) => {
          assert.is(at(n, c), (q(k, n) - zero(group(k), n)) * scale(group(k), n), `${n} ${k}`);
        });
      }
    });
  }
}

test("compressed-tensors: golden words, symmetric and with zero points", async () => {
  const rowsOfCodes = [
    [1, 2, 3, 4, 5, 6, 7, 0],
    [-1, -2, -3, -4, -5, -6, -7, -8],
  ].map((codes) => [...codes, ...codes]);
  const packed = words("8fedcba9 8fedcba9 01234567 01234567");
  const settings = {
    quant_method: "compressed-tensors",
    format: "pack-quantized",
    config_groups: { group_0: { weights: { num_bits: 4, group_size: 16 } } },
  };
  const shape = tensor("m.weight_shape", "i64", [2], BigInt64Array.of(2n, 16n));
  const scales = tensor("m.weight_scale", "bf16", [2, 1], Uint16Array.of(0x3f00, 0x3e80)); // 0.5 and 0.25
  const codes = tensor("m.weight_packed", "i32", [2, 2], packed);
  const plain = await read(settings, [codes, scales, shape]);
  const all = rowsOfCodes.flatMap((row, n) => row.map((code, k) => [n, k, code] as const));
  for (const [n, k, code] of all) assert.is(plain.at(n, k), code * (n ? 0.25 : 0.5) + 0);
  const zeros = tensor("m.weight_zero_point", "i32", [1, 1], Uint32Array.of(0x3a));
  const shifted = await read(settings, [codes, scales, shape, zeros]);
  for (const [n, k, code] of all) assert.is(shifted.at(n, k), (code + 8 - (n ? 3 : 10)) * (n ? 0.25 : 0.5));
  assert.is(plain.plain.length, 0);
});

test("MLX: golden words with scale and bias", async () => {
  const steps = [-0.27, 2.7].map((value) => halfToNumber(toHalf(value)));
  const { at, matrix } = await read(
    { group_size: 32, bits: 4 },
    [
      tensor("m.weight", "u32", [1, 4], words("99aa37f8 66777889 33444556 00111223")),
      tensor("m.scales", "f16", [1, 1], halves([-0.27])),
      tensor("m.biases", "f16", [1, 1], halves([2.7])),
    ],
    "quantization",
  );
  assert.is(matrix.offset, "bias");
  const golden = [0.5, -1.25, 0.75, 2, ...Array.from({ length: 28 }, (_, k) => 0.1 * k)];
  const codes = golden.map((value) => Math.round((value - 2.7) / -0.27));
  codes.forEach((code, k) => {
    assert.is(at(0, k), Math.fround(steps[0] * code + steps[1]));
    assert.ok(Math.abs(at(0, k) - golden[k]) < 0.14);
  });
});

test("refuses by name what it cannot hold exactly", async () => {
  const awq = { quant_method: "awq", bits: 4, group_size: 16, version: "gemm", zero_point: false };
  const codes = tensor("m.qweight", "i32", [16, 1], new Uint32Array(16));
  const scales = (dtype: DType, values: ArrayBufferView) => tensor("m.scales", dtype, [1, 8], values);
  await refuses(
    () => splitQuantized("config.json", { quantization_config: { quant_method: "hqq" } }, []),
    /hqq.*AutoAWQ, GPTQ/,
  );
  await refuses(
    () => splitQuantized("config.json", { quantization_config: { ...awq, version: "gemv_fast" } }, [codes]),
    /gemv_fast/,
  );
  await refuses(() => splitQuantized("config.json", { quantization_config: awq }, [codes]), /m\.scales.*missing/);
  await refuses(
    () => splitQuantized("config.json", { quantization_config: { ...awq, group_size: 12 } }, [codes]),
    /groups of 12/,
  );
  await refuses(
    () => read(awq, [codes, scales("f32", new Float32Array(8).fill(0.1))]),
    /groups of 16 with scales that f16 cannot hold/,
  );
  await refuses(() => read(awq, [codes, scales("f16", new Uint16Array(8).fill(0x7c00))]), /a scale is not finite/);
  await refuses(
    () => read({ ...awq, zero_point: true }, [codes, scales("f16", new Uint16Array(8))]),
    /qzeros.*missing/,
  );
  const gptq = { quant_method: "gptq", bits: 4, group_size: 16, desc_act: true };
  const sorted = [
    tensor("m.qweight", "i32", [2, 8], new Uint32Array(16)),
    tensor("m.qzeros", "i32", [1, 1], new Uint32Array(1)),
    scales("f16", new Uint16Array(8)),
  ];
  await refuses(
    () => read(gptq, [...sorted, tensor("m.g_idx", "i32", [16], new Int32Array(16).fill(4))]),
    /group 4 of input 0/,
  );
});

test.run();
