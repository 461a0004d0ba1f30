// 8-bit GPTQ and compressed-tensors, and AutoAWQ's GEMV layout, packed here as their own packers do: every value comes
// out as scale * (code - zero).

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LazyTensor } from "../../src/core/tensor.js";
import { splitQuantized } from "../../src/formats/hf-quantized.js";
import { toHalf } from "../conformance/quantizer.js";
import { refuses } from "../support/refuses.js";
import { repacker, tensor } from "./quantized-tensors.js";

const [ROWS, COLS, GROUP] = [8, 64, 32];
const code = (row: number, input: number) => (row * 37 + input * 101 + 5) % 256;
const zero = (row: number, g: number) => (row * 29 + g * 71 + 3) % 256;
const scale = (row: number, g: number) => 0.5 + 0.125 * ((row + g) % 4);
const halves = (values: readonly number[]) => Uint16Array.from(values, toHalf);
const list = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));
/** Little-endian words of bytes. */
const packed = (bytes: readonly number[]) => new Uint32Array(Uint8Array.from(bytes).buffer);

async function valuesOf(settings: object, tensors: readonly LazyTensor[]) {
  const { stored, plain } = await splitQuantized("config.json", { quantization_config: settings }, tensors);
  const matrix = stored.get("m.weight");
  if (!matrix) throw new Error("no m.weight");
  assert.equal(plain, []);
  const data = await matrix.read(repacker);
  if (data.kind !== "int4" && data.kind !== "blocks") throw new Error(`it is ${data.kind}`);
  const values = repacker.unpack(data);
  return { matrix, at: (row: number, column: number) => values[row * COLS + column] };
}

for (const [form, shift] of [
  ["gptq", 1],
  ["gptq_v2", 0],
] as const) {
  for (const sorted of [false, true]) {
    test(`GPTQ 8 bit ${form}${sorted ? " with act-order" : ""}`, async () => {
      const group = (input: number) => (sorted ? input % 2 : Math.floor(input / GROUP));
      // qweight [inputs / 4, outputs], a word is four inputs of one output; qzeros [groups, outputs / 4].
      const words = list(COLS / 4, (w) => list(ROWS, (n) => list(4, (j) => code(n, w * 4 + j)))).flat(2);
      const zeros = list(2, (g) => list(ROWS, (n) => (zero(n, g) - shift) & 255)).flat();
      const settings = { quant_method: "gptq", bits: 8, group_size: GROUP, desc_act: sorted, checkpoint_format: form };
      const { matrix, at } = await valuesOf(settings, [
        tensor("m.qweight", "i32", [COLS / 4, ROWS], packed(words)),
        tensor("m.qzeros", "i32", [2, ROWS / 4], packed(zeros)),
        tensor("m.scales", "f16", [2, ROWS], halves(list(2, (g) => list(ROWS, (n) => scale(n, g))).flat())),
        tensor(
          "m.g_idx",
          "i32",
          [COLS],
          Int32Array.from({ length: COLS }, (_, input) => group(input)),
        ),
      ]);
      assert.equal([matrix.format, matrix.permuted], ["zero8", sorted]);
      (await matrix.order()).forEach((input, column) => {
        const g = group(input);
        for (let n = 0; n < ROWS; n++) assert.is(at(n, column), (code(n, input) - zero(n, g)) * scale(n, g));
      });
    });
  }
}

test("compressed-tensors 8 bit, symmetric and with zero points", async () => {
  const settings = {
    ...{ quant_method: "compressed-tensors", format: "pack-quantized" },
    config_groups: { group_0: { weights: { num_bits: 8, group_size: GROUP } } },
  };
  const parts = [
    tensor("m.weight_packed", "i32", [ROWS, COLS / 4], packed(list(ROWS, (n) => list(COLS, (k) => code(n, k))).flat())),
    tensor("m.weight_scale", "f16", [ROWS, 2], halves(list(ROWS, (n) => [scale(n, 0), scale(n, 1)]).flat())),
    tensor("m.weight_shape", "i64", [2], BigInt64Array.of(BigInt(ROWS), BigInt(COLS))),
  ];
  const symmetric = await valuesOf(settings, parts);
  // weight_zero_point [outputs / 4, groups]: a word is four outputs of one group.
  const zeros = list(ROWS / 4, (w) => list(2, (g) => list(4, (j) => zero(w * 4 + j, g)))).flat(2);
  const moved = await valuesOf(settings, [
    ...parts,
    tensor("m.weight_zero_point", "i32", [ROWS / 4, 2], packed(zeros)),
  ]);
  for (let n = 0; n < ROWS; n++) {
    for (let k = 0; k < COLS; k++) {
      const g = Math.floor(k / GROUP);
      assert.is(symmetric.at(n, k), (code(n, k) - 128) * scale(n, g) + 0);
      assert.is(moved.at(n, k), (code(n, k) - zero(n, g)) * scale(n, g) + 0);
    }
  }
});

test("AutoAWQ GEMV: rows along the inputs, zero words padded to four", async () => {
  // Bytes of two nibbles, first column low: words of eight columns, lowest first.
  const nibbles = (values: readonly number[]) =>
    packed(list(values.length / 2, (i) => (values[2 * i] & 15) | ((values[2 * i + 1] & 15) << 4)));
  const width = 4; // words: ceil(2 groups / 8) = 1, up to a multiple of 4 for groups of 32
  const { matrix, at } = await valuesOf({ quant_method: "awq", bits: 4, group_size: 32, version: "GEMV" }, [
    tensor("m.qweight", "i32", [ROWS, COLS / 8], nibbles(list(ROWS, (n) => list(COLS, (k) => code(n, k))).flat())),
    tensor(
      "m.qzeros",
      "i32",
      [ROWS, width],
      nibbles(list(ROWS, (n) => list(32, (g) => (g < 2 ? zero(n, g) : 0))).flat()),
    ),
    tensor("m.scales", "f16", [ROWS, 32], halves(list(ROWS, (n) => list(32, (g) => (g < 2 ? scale(n, g) : 0))).flat())),
  ]);
  assert.equal([matrix.format, matrix.label], ["int4-g32", "AWQ gemv g32"]);
  for (let n = 0; n < ROWS; n++) {
    for (let k = 0; k < COLS; k++) {
      const g = Math.floor(k / GROUP);
      assert.is(at(n, k), ((code(n, k) & 15) - (zero(n, g) & 15)) * scale(n, g) + 0);
    }
  }
});

test("other widths and groups are refused", async () => {
  const gptq = { quant_method: "gptq", bits: 8, group_size: 16 };
  const tensors = [
    tensor("m.qweight", "i32", [4, 8], new Uint32Array(32)),
    tensor("m.qzeros", "i32", [1, 2], new Uint32Array(2)),
    tensor("m.scales", "f16", [1, 8], new Uint16Array(8)),
  ];
  await refuses(() => valuesOf(gptq, tensors), /8-bit groups of 16/);
  await refuses(() => valuesOf({ ...gptq, bits: 3 }, tensors), /bits: 3 is not supported/);
});

test.run();
