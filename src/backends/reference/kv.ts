// Keys and values of the reference backend: rows into a cache, as they are or as int8 codes stand for them. In f32 arithmetic
// like the kernels, so that a value in the middle of two codes goes the same way.

import { headDimOf } from "../../core/op.js";
import { fromHalf, toHalf } from "./half.js";
import { nearestEven } from "./linear.js";
import { type Matrix, rowOf } from "./matrix.js";

/** cache[start + i] = x[i]; in an int8 cache each head has a scale, half(largest magnitude / 127). */
export function keep(x: Matrix, cache: Matrix, start: number, rows: number): void {
  for (let i = 0; i < rows; i++) {
    const row = rowOf(cache, start + i);
    row.set(rowOf(x, i));
    if (cache.spec.format === "f32") continue;
    const headDim = headDimOf(cache.spec);
    for (let from = 0; from < row.length; from += headDim) roundHead(row.subarray(from, from + headDim));
  }
}

function roundHead(values: Float32Array): void {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = fromHalf(toHalf(Math.fround(largest / 127)));
  const inverse = scale > 0 ? Math.fround(1 / scale) : 0;
  values.forEach((value, i) => {
    const code = Math.max(-128, Math.min(127, nearestEven(Math.fround(value * inverse))));
    values[i] = code * scale;
  });
}
