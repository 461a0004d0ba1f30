// The quantizer of assembly/kernels gives the bytes of the plain one in tests, and synthetic weights keep the scale of
// what passes through them.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";
import { halfToNumber, plainQuantizer, toHalf } from "./quantizer.js";

const quantizer = await openQuantizer(nodePlatform());
const GROUPS = [16, 32, 64, 128] as const;
const SHAPES = [
  [1, 1],
  [8, 32],
  [13, 172],
  [70, 300],
] as const;

function values(seed: number, count: number, size: number): Float32Array {
  const random = uniform(seed);
  return Float32Array.from({ length: count }, () => (random() * 2 - 1) ** 3 * size);
}

test("int4 and int8 have the same bytes", () => {
  for (const [rows, cols] of SHAPES) {
    for (const size of [1e-7, 0.02, 3, 1e6]) {
      const matrix = values(rows, rows * cols, size);
      for (const group of GROUPS) {
        assert.equal(quantizer.int4(matrix, rows, cols, group), plainQuantizer.int4(matrix, rows, cols, group));
      }
      assert.equal(quantizer.int8(matrix, rows, cols), plainQuantizer.int8(matrix, rows, cols));
    }
  }
});

test("zeros stay zero", () => {
  const packed = quantizer.int4(new Float32Array(40), 1, 40, 32);
  assert.ok(unpackInt4(packed).every((value) => value === 0));
});

test("rounding is off by at most half a step, a whole one opposite the largest value", () => {
  const matrix = values(3, 64 * 96, 1);
  const back = unpackInt4(quantizer.int4(matrix, 64, 96, 32));
  for (let from = 0; from < matrix.length; from += 32) {
    const part = matrix.subarray(from, from + 32);
    const step = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 8;
    part.forEach((value, i) => {
      assert.ok(Math.abs(value - back[from + i]) <= step * 1.01);
    });
  }
});

test("synthetic weights are seeded, cover all codes and keep unit variance", () => {
  const [rows, cols] = [64, 512];
  const packed = quantizer.syntheticInt4(1, rows, cols, 32);
  assert.equal(quantizer.syntheticInt4(1, rows, cols, 32), packed);
  assert.not.equal(quantizer.syntheticInt4(2, rows, cols, 32).codes, packed.codes);
  const weights = unpackInt4(packed);
  const meanSquare = weights.reduce((sum, weight) => sum + weight * weight, 0) / weights.length;
  assert.ok(Math.abs(meanSquare * cols - 1) < 0.1, `${meanSquare * cols}`);
});

test("halves of the tests' own packer round to nearest even", () => {
  assert.equal(
    [1, -2, 65504, 1e9, 2 ** -24, 2 ** -25, 1 + 2 ** -11].map(toHalf),
    [0x3c00, 0xc000, 0x7bff, 0x7c00, 1, 0, 0x3c00],
  );
  for (let bits = 0; bits < 0x7c00; bits += 7) assert.is(toHalf(halfToNumber(bits)), bits);
});

test.run();
