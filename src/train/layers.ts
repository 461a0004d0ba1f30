// Steps shared by decoder, vision tower and projector: a linear layer with its backward pass, and attention over all
// sequences of a concatenated token matrix.

import type { Address } from "./kernels.js";
import type { TrainState, Weight } from "./state.js";

/** Rows [start, start + length) of the token matrix. */
export interface Span {
  readonly start: number;
  readonly length: number;
}

/** y [rows, outputs] = x W^T (+ b), freshly allocated. */
export function linear(
  { kernels, arena }: TrainState,
  x: Address,
  w: Weight,
  bias: Weight | null,
  [rows, inputs, outputs]: readonly [number, number, number],
): Address {
  const y = arena.alloc(rows * outputs);
  kernels.linear(x, w.value, y, rows, inputs, outputs, 0);
  if (bias) kernels.addBias(y, bias.value, rows, outputs);
  return y;
}

/** residual [rows, outputs] + x W^T (+ b), freshly allocated. */
export function linearResidual(
  { kernels, arena }: TrainState,
  x: Address,
  w: Weight,
  bias: Weight | null,
  residual: Address,
  [rows, inputs, outputs]: readonly [number, number, number],
): Address {
  const y = arena.alloc(rows * outputs);
  kernels.copy(residual, y, rows * outputs);
  kernels.linear(x, w.value, y, rows, inputs, outputs, 1);
  if (bias) kernels.addBias(y, bias.value, rows, outputs);
  return y;
}

/** Adds to the gradients of W and b unless frozen, and returns dx [rows, inputs], freshly allocated. */
export function linearBackward(
  { kernels, arena }: TrainState,
  dy: Address,
  x: Address,
  w: Weight,
  bias: Weight | null,
  [rows, inputs, outputs]: readonly [number, number, number],
): Address {
  if (w.isTrained) kernels.linearWeightGradient(dy, x, w.gradient, rows, inputs, outputs);
  if (bias?.isTrained) kernels.biasGradient(dy, bias.gradient, rows, outputs);
  const dx = arena.alloc(rows * inputs);
  kernels.linearInputGradient(dy, w.value, dx, rows, inputs, outputs, 0);
  return dx;
}

export interface HeadShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

export interface AttentionState {
  /** [rows, heads * headDim] */
  readonly out: Address;
  /** For each span the address of [heads, length, padded] probabilities. */
  readonly probabilities: readonly Address[];
}

const paddedLength = (length: number): number => Math.ceil(length / 8) * 8;

/**
 * Attention inside each span; qkv [rows, (heads + 2 * kvHeads) * headDim] holds q, k, v.
 * @param segments i32 [rows] (causal) or 0 (full attention)
 */
export function attentionForward(
  { kernels, arena }: TrainState,
  qkv: Address,
  rows: number,
  spans: readonly Span[],
  segments: Address,
  { heads, kvHeads, headDim }: HeadShape,
): AttentionState {
  const width = heads * headDim;
  const stride = width + 2 * kvHeads * headDim;
  const out = arena.alloc(rows * width);
  const probabilities = spans.map(({ start, length }) => {
    const p = arena.alloc(heads * length * paddedLength(length));
    const q = qkv + start * stride * 4;
    const [k, v] = [q + width * 4, q + (width + kvHeads * headDim) * 4];
    const mask = segments === 0 ? 0 : segments + start * 4;
    kernels.attention(q, k, v, stride, mask, out + start * width * 4, width, p, length, heads, kvHeads, headDim);
    return p;
  });
  return { out, probabilities };
}

/** dqkv, freshly allocated, from dout [rows, heads * headDim]. */
export function attentionBackward(
  { kernels, arena }: TrainState,
  dout: Address,
  qkv: Address,
  saved: AttentionState,
  rows: number,
  spans: readonly Span[],
  isCausal: boolean,
  { heads, kvHeads, headDim }: HeadShape,
): Address {
  const width = heads * headDim;
  const stride = width + 2 * kvHeads * headDim;
  const dqkv = arena.alloc(rows * stride);
  const longest = Math.max(...spans.map(({ length }) => length));
  const work = arena.alloc(longest * paddedLength(longest));
  const parts = (base: Address, start: number): readonly [number, number, number] => {
    const q = base + start * stride * 4;
    return [q, q + width * 4, q + (width + kvHeads * headDim) * 4];
  };
  spans.forEach(({ start, length }, i) => {
    const [inputs, outputs] = [parts(qkv, start), parts(dqkv, start)];
    const dy = dout + start * width * 4;
    const p = saved.probabilities[i];
    const causal = isCausal ? 1 : 0;
    kernels.attentionBackward(
      dy,
      width,
      ...inputs,
      stride,
      causal,
      p,
      work,
      ...outputs,
      length,
      heads,
      kvHeads,
      headDim,
    );
  });
  return dqkv;
}
