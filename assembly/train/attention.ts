// Scaled dot-product attention of one sequence, all heads, forward and backward, built on the packed product.
// Causal with segments (several questions behind one shared prefix) or full (the vision tower). Grouped KV heads.
import { exp4, max4, sum4 } from "./exponential";
import { FULL, gemm, LOWER_LEFT, LOWER_OUTPUT, UPPER_LEFT } from "./matmul";

/** Lanes of columns j..j+3 that row i may see; segments = 0: full attention over `length` columns. */
// @ts-ignore: decorator
@inline
function visible(j: i32, i: i32, length: i32, segments: usize, own: v128): v128 {
  const index = i32x4.add(i32x4.splat(j), i32x4(0, 1, 2, 3));
  if (segments == 0) return i32x4.lt_s(index, i32x4.splat(length));
  const segment = v128.load(segments + (j << 2));
  const open = v128.or(i32x4.eq(segment, i32x4.splat(0)), i32x4.eq(segment, own));
  return v128.and(i32x4.le_s(index, i32x4.splat(i)), open);
}

/** Softmax of row i of the raw scores, in place; columns that are not visible become exactly 0. */
function softmaxRow(row: usize, i: i32, length: i32, padded: i32, segments: usize, scale: f32): void {
  const own = i32x4.splat(segments == 0 ? 0 : load<i32>(segments + (i << 2)));
  const end = segments == 0 ? padded : min(padded, (i + 8) & ~7);
  const low = f32x4.splat(-3.0e38);
  const scales = f32x4.splat(scale);
  let largest = low;
  for (let j = 0; j < end; j += 4) {
    const mask = visible(j, i, length, segments, own);
    const score = v128.bitselect(f32x4.mul(v128.load(row + (j << 2)), scales), low, mask);
    v128.store(row + (j << 2), score);
    largest = f32x4.max(largest, score);
  }
  const top = f32x4.splat(max4(largest));
  let total = f32x4.splat(0);
  for (let j = 0; j < end; j += 4) {
    const score = v128.load(row + (j << 2));
    const p = v128.and(exp4(f32x4.sub(score, top)), f32x4.gt(score, low));
    v128.store(row + (j << 2), p);
    total = f32x4.add(total, p);
  }
  const inverse = f32x4.splat(<f32>1.0 / sum4(total));
  for (let j = 0; j < end; j += 4) v128.store(row + (j << 2), f32x4.mul(v128.load(row + (j << 2)), inverse));
}

/**
 * out [length, outStride] from q, k, v [length, stride]. probabilities [heads, length, padded] are kept for backward,
 * padded = length rounded up to 8; under a causal mask columns right of the diagonal's tile stay unwritten.
 * segments: i32 [padded] readable, or 0 for full attention.
 */
export function attention(
  q: usize, k: usize, v: usize, stride: i32, segments: usize, out: usize, outStride: i32, probabilities: usize,
  length: i32, heads: i32, kvHeads: i32, headDim: i32,
): void {
  const padded = (length + 7) & ~7;
  const group = heads / kvHeads;
  const scale: f32 = 1.0 / sqrt<f32>(<f32>headDim);
  const lowerOutput = segments != 0 ? LOWER_OUTPUT : FULL;
  const lowerLeft = segments != 0 ? LOWER_LEFT : FULL;
  for (let h = 0; h < heads; h++) {
    const p = probabilities + ((h * length * padded) << 2);
    const kv = ((h / group) * headDim) << 2;
    const own = (h * headDim) << 2;
    gemm(length, length, headDim, q + own, stride, false, k + kv, stride, true, p, padded, false, lowerOutput);
    for (let i = 0; i < length; i++) softmaxRow(p + ((i * padded) << 2), i, length, padded, segments, scale);
    gemm(length, headDim, length, p, padded, false, v + kv, stride, false, out + own, outStride, false, lowerLeft);
  }
}

/** dS = P * (dP - sum(P * dP)) * scale of one row, in place in dp, over `end` columns. */
function softmaxBackwardRow(dp: usize, p: usize, end: i32, scale: f32): void {
  while (end & 3) store<f32>(dp + (end++ << 2), 0); // columns that no product has written; p is 0 there
  let dots = f32x4.splat(0);
  for (let j = 0; j < end << 2; j += 16) dots = f32x4.add(dots, f32x4.mul(v128.load(dp + j), v128.load(p + j)));
  const dot = f32x4.splat(sum4(dots));
  const scales = f32x4.splat(scale);
  for (let j = 0; j < end << 2; j += 16) {
    v128.store(dp + j, f32x4.mul(f32x4.mul(v128.load(p + j), f32x4.sub(v128.load(dp + j), dot)), scales));
  }
}

/** dq, dk, dv [length, stride] are written. work: [length, padded] floats. */
export function attentionBackward(
  dout: usize, outStride: i32, q: usize, k: usize, v: usize, stride: i32, causal: bool,
  probabilities: usize, work: usize, dq: usize, dk: usize, dv: usize,
  length: i32, heads: i32, kvHeads: i32, headDim: i32,
): void {
  const padded = (length + 7) & ~7;
  const group = heads / kvHeads;
  const scale: f32 = 1.0 / sqrt<f32>(<f32>headDim);
  const lowerOutput = causal ? LOWER_OUTPUT : FULL;
  const lowerLeft = causal ? LOWER_LEFT : FULL;
  const upperLeft = causal ? UPPER_LEFT : FULL;
  for (let h = 0; h < heads; h++) {
    const p = probabilities + ((h * length * padded) << 2);
    const kv = ((h / group) * headDim) << 2;
    const own = (h * headDim) << 2;
    const more = h % group != 0;
    gemm(length, headDim, length, p, padded, true, dout + own, outStride, false, dv + kv, stride, more, upperLeft);
    gemm(length, length, headDim, dout + own, outStride, false, v + kv, stride, true, work, padded, false, lowerOutput);
    for (let i = 0; i < length; i++) {
      const end = causal ? min(length, (i + 8) & ~7) : length;
      softmaxBackwardRow(work + ((i * padded) << 2), p + ((i * padded) << 2), end, scale);
    }
    gemm(length, headDim, length, work, padded, false, k + kv, stride, false, dq + own, stride, false, lowerLeft);
    gemm(length, headDim, length, work, padded, true, q + own, stride, false, dk + kv, stride, more, upperLeft);
  }
}
