// The packer against bytes packed by hand and against a packer in plain TypeScript; synthetic weights.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { InputError } from "../../src/core/errors.js";
import type { Group } from "../../src/core/packed.js";
import { nodePlatform } from "../../src/platform/node.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { random } from "./twin.js";

const quantizer = await openQuantizer(nodePlatform());

test("a record equals its hand-packed bytes", () => {
  // Row 0 holds -8..7 (peak -8: scale 1, codes 0..15), row 5 is 2 in column 12 only (scale -0.25, code 0 there, else 8).
  const values = new Float32Array(8 * 16);
  for (let c = 0; c < 16; c++) values[c] = c - 8;
  values[5 * 16 + 12] = 2;
  const expected = new Uint8Array(80).fill(0x88, 0, 64);
  expected.set([0x40, 0x51, 0x62, 0x73], 0); // step 0, lane 0: low nibbles columns 0-3, high 4-7
  expected.set([0xc8, 0xd9, 0xea, 0xfb], 32); // step 1: columns 8-11 and 12-15
  expected[32 + 16 + 4] = 0x08; // step 1, rows 4-7, lane 1: column 12 in the high nibble of byte 0
  expected.set([0x00, 0x3c], 64); // 1 as a half
  for (const row of [1, 2, 3, 4, 6, 7]) expected.set([0x00, 0x80], 64 + 2 * row); // 0 / -8 = -0
  expected.set([0x00, 0xb4], 64 + 10); // -0.25
  assert.equal([...quantizer.int4(values, 8, 16, 16).codes], [...expected]);
});

test("packed bytes equal those of the plain packer, ragged shapes and sizes from tiny to huge", () => {
  const next = random(3);
  for (const [rows, cols, group] of [
    [8, 32, 32],
    [13, 70, 16],
    [64, 128, 128],
    [3, 5, 64],
    [100, 257, 32],
  ] as const) {
    const values = Float32Array.from({ length: rows * cols }, () => (next() - 0.5) * 10 ** (next() * 14 - 8));
    assert.equal(
      quantizer.int4(values, rows, cols, group as Group).codes,
      plainQuantizer.int4(values, rows, cols, group).codes,
    );
    assert.equal(quantizer.int8(values, rows, cols), plainQuantizer.int8(values, rows, cols));
  }
});

test("synthetic weights keep unit variance, and a seed always gives the same bytes", () => {
  const [rows, cols] = [128, 1024];
  for (const group of [32, 128] as const) {
    const packed = quantizer.syntheticInt4(7, rows, cols, group);
    assert.equal(packed.codes, quantizer.syntheticInt4(7, rows, cols, group).codes);
    assert.not.equal(packed.codes, quantizer.syntheticInt4(8, rows, cols, group).codes);
    const variance = unpackInt4(packed).reduce((sum, value) => sum + value * value, 0) / rows;
    assert.ok(Math.abs(variance - 1) < 0.05, `${variance}`);
  }
});

test("padded rows and columns of synthetic weights weigh nothing", () => {
  const packed = quantizer.syntheticInt4(1, 9, 40, 32);
  assert.is(packed.codes.length, 2 * 2 * 144);
  const whole = { ...packed, rows: 16, cols: 64 };
  unpackInt4(whole).forEach((value, i) => {
    if (i % 64 >= 40 || i >= 9 * 64) assert.ok(value === 0, `value ${i} is ${value}`);
  });
});

test("a matrix of the wrong size is an input error", () => {
  assert.throws(
    () => quantizer.int4(new Float32Array(10), 2, 8, 16),
    (error: unknown) => error instanceof InputError,
  );
});

test.run();
