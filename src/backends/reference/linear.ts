// Table look-up, copies and products of the reference backend. Sums are float64, results are stored as f32.

import { type ActivationFormat, activationGroup } from "../../core/op.js";
import { type Matrix, rowOf } from "./matrix.js";

/** out[outRow + i] = table[tokens[i]] */
export function embed(tokens: readonly number[], table: Matrix, out: Matrix, outRow: number): void {
  tokens.forEach((token, i) => {
    rowOf(out, outRow + i).set(rowOf(table, token));
  });
}

/** out[outRow + i] = x[xRow + i] */
export function copy(x: Matrix, xRow: number, out: Matrix, outRow: number, rows: number): void {
  for (let i = 0; i < rows; i++) rowOf(out, outRow + i).set(rowOf(x, xRow + i));
}

/** out[i][c] = x[i][order[c]] */
export function gather(x: Matrix, order: Matrix, out: Matrix, rows: number): void {
  for (let i = 0; i < rows; i++) rowOf(out, i).set(order.values.map((column) => rowOf(x, i)[column]));
}

/**
 * A row as its int8 codes stand for it, `group` columns a scale. In f32 arithmetic like the kernels, so that a value in
 * the middle of two codes goes the same way.
 */
export function roundActivations(x: Float32Array, group: number): Float32Array {
  const rounded = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += group) {
    const part = x.subarray(from, from + group);
    const absMax = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (absMax === 0) continue;
    const inverse = Math.fround(127 / absMax);
    const scale = Math.fround(absMax / 127);
    for (let i = 0; i < part.length; i++) rounded[from + i] = scale * nearestEven(Math.fround(part[i] * inverse));
  }
  return rounded;
}

export function nearestEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** out[i] = W x[xRow + i] (+ bias) */
export function matmul(
  x: Matrix,
  xRow: number,
  weight: Matrix,
  bias: Matrix | null,
  out: Matrix,
  rows: number,
  activations: ActivationFormat,
): void {
  const group = activations === "int8" ? activationGroup(weight.spec.format) : null;
  for (let i = 0; i < rows; i++) {
    const row = rowOf(x, xRow + i);
    const input = group === null ? row : roundActivations(row, group);
    const target = rowOf(out, i);
    for (let n = 0; n < weight.spec.rows; n++) target[n] = dot(rowOf(weight, n), input) + (bias?.values[n] ?? 0);
  }
}

/** out[outRow + p] = W patch(p); a patch lies flat as [channel, y, x], patches run in row order. */
export function patchEmbed(image: Matrix, weight: Matrix, out: Matrix, outRow: number, size: number, patch: number) {
  const across = size / patch;
  const flat = new Float32Array(3 * patch * patch);
  for (let p = 0; p < across * across; p++) {
    const top = Math.floor(p / across) * patch;
    const left = (p % across) * patch;
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < patch; y++) {
        const line = rowOf(image, c * size + top + y);
        flat.set(line.subarray(left, left + patch), (c * patch + y) * patch);
      }
    }
    const target = rowOf(out, outRow + p);
    for (let n = 0; n < weight.spec.rows; n++) target[n] = dot(rowOf(weight, n), flat);
  }
}
