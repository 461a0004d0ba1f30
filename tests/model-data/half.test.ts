// Rounding to fp16: to nearest, ties to even, subnormals and overflow as IEEE 754 has them.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { halfBits, halfBytes } from "../../scripts/model/half.js";

test("known values have known bits", () => {
  const known: [number, number][] = [
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [0.1, 0x2e66],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [0.000061, 0x03ff],
  ];
  for (const [value, bits] of known) assert.is(halfBits(value), bits, `${value}`);
});

test("ties go to the even neighbour", () => {
  assert.is(halfBits(2048 + 1), halfBits(2048));
  assert.is(halfBits(2048 + 3), halfBits(2048 + 4));
});

test("bytes are little-endian", () => {
  assert.equal([...halfBytes(Float32Array.of(1, -2))], [0x00, 0x3c, 0x00, 0xc0]);
});

test.run();
