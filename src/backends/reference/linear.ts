// Table look-up, copies and products of the reference backend. Sums are float64, results are stored as f32.

import type { ActivationFormat } from "../../core/op.js";
import { type Matrix, rowOf } from "./matrix.js";

/** Columns that share one scale when activations are rounded to int8. */
export const ACTIVATION_GROUP = 32;

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

/** A row as its int8 codes stand for it: per 32 columns scale = absmax / 127, codes to the nearest, ties to even. */
export function roundActivations(x: Float32Array): Float32Array {
  const rounded = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += ACTIVATION_GROUP) {
    const group = x.subarray(from, from + ACTIVATION_GROUP);
    const absMax = group.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (absMax === 0) continue;
    const scale = absMax / 127;
    for (let i = 0; i < group.length; i++) rounded[from + i] = scale * nearestEven(group[i] / scale);
  }
  return rounded;
}

function nearestEven(value: number): number {
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
  for (let i = 0; i < rows; i++) {
    const row = rowOf(x, xRow + i);
    const input = activations === "int8" ? roundActivations(row) : row;
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
