// Normalisations and row-wise softmax of the reference backend.

import { type Matrix, rowOf } from "./matrix.js";

/** out[i] = x[xRow + i] / sqrt(mean(x^2) + eps) * weight (Zhang & Sennrich 2019). */
export function rmsnorm(x: Matrix, xRow: number, weight: Matrix, out: Matrix, rows: number, eps: number): void {
  for (let i = 0; i < rows; i++) {
    const row = rowOf(x, xRow + i);
    const meanSquare = row.reduce((sum, value) => sum + value * value, 0) / row.length;
    const scale = 1 / Math.sqrt(meanSquare + eps);
    rowOf(out, i).set(row.map((value, n) => value * scale * weight.values[n]));
  }
}

/** out[i] = (x[i] - mean) / sqrt(variance + eps) * weight + bias (Ba et al. 2016). */
export function layernorm(x: Matrix, weight: Matrix, bias: Matrix, out: Matrix, rows: number, eps: number): void {
  for (let i = 0; i < rows; i++) {
    const row = rowOf(x, i);
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    const scale = 1 / Math.sqrt(variance + eps);
    rowOf(out, i).set(row.map((value, n) => (value - mean) * scale * weight.values[n] + bias.values[n]));
  }
}

/** exp(x - max) over its sum. */
export function softmaxRow(scores: readonly number[]): number[] {
  const top = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Row-wise softmax. */
export function softmax(x: Matrix, out: Matrix, rows: number): void {
  for (let i = 0; i < rows; i++) rowOf(out, i).set(softmaxRow([...rowOf(x, i)]));
}
