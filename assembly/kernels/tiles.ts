// The inner tiles of matrix times matrix: eight rows (lane = row) times four tokens, eight accumulators in registers.
// Panels as in int4-panel.ts. acc: f32 [4 tokens][8 rows], added to, so that a long K is cut into panels. Loops are
// unrolled by hand: V8 checks for interrupts in every round.

import { madd } from "./lanes";

/** f32 panel [k][8] times activations x0..x3 (f32 [k] each). */
export function tileFloats(panel: usize, k: i32, x0: usize, x1: usize, x2: usize, x3: usize, acc: usize): void {
  let a0 = v128.load(acc, 0);
  let b0 = v128.load(acc, 16);
  let a1 = v128.load(acc, 32);
  let b1 = v128.load(acc, 48);
  let a2 = v128.load(acc, 64);
  let b2 = v128.load(acc, 80);
  let a3 = v128.load(acc, 96);
  let b3 = v128.load(acc, 112);
  let low = f32x4.splat(0);
  let high = low;
  let x = low;
  const end = panel + ((<usize>k) << 5);
  const unrolled = panel + ((<usize>(k & ~1)) << 5);
  while (panel < unrolled) {
    low = v128.load(panel, 0);
    high = v128.load(panel, 16);
    x = v128.load32_splat(x0, 0);
    a0 = madd(low, x, a0);
    b0 = madd(high, x, b0);
    x = v128.load32_splat(x1, 0);
    a1 = madd(low, x, a1);
    b1 = madd(high, x, b1);
    x = v128.load32_splat(x2, 0);
    a2 = madd(low, x, a2);
    b2 = madd(high, x, b2);
    x = v128.load32_splat(x3, 0);
    a3 = madd(low, x, a3);
    b3 = madd(high, x, b3);
    low = v128.load(panel, 32);
    high = v128.load(panel, 48);
    x = v128.load32_splat(x0, 4);
    a0 = madd(low, x, a0);
    b0 = madd(high, x, b0);
    x = v128.load32_splat(x1, 4);
    a1 = madd(low, x, a1);
    b1 = madd(high, x, b1);
    x = v128.load32_splat(x2, 4);
    a2 = madd(low, x, a2);
    b2 = madd(high, x, b2);
    x = v128.load32_splat(x3, 4);
    a3 = madd(low, x, a3);
    b3 = madd(high, x, b3);
    panel += 64;
    x0 += 8;
    x1 += 8;
    x2 += 8;
    x3 += 8;
  }
  if (panel < end) {
    low = v128.load(panel, 0);
    high = v128.load(panel, 16);
    x = v128.load32_splat(x0, 0);
    a0 = madd(low, x, a0);
    b0 = madd(high, x, b0);
    x = v128.load32_splat(x1, 0);
    a1 = madd(low, x, a1);
    b1 = madd(high, x, b1);
    x = v128.load32_splat(x2, 0);
    a2 = madd(low, x, a2);
    b2 = madd(high, x, b2);
    x = v128.load32_splat(x3, 0);
    a3 = madd(low, x, a3);
    b3 = madd(high, x, b3);
  }
  v128.store(acc, a0, 0);
  v128.store(acc, b0, 16);
  v128.store(acc, a1, 32);
  v128.store(acc, b1, 48);
  v128.store(acc, a2, 64);
  v128.store(acc, b2, 80);
  v128.store(acc, a3, 96);
  v128.store(acc, b3, 112);
}

/** acc[8] += (scales * xScale) * sums of one token: the float steps of the vector kernels. */
// @ts-ignore: decorator
@inline
export function addScaled(acc: usize, low: v128, high: v128, lowScale: v128, highScale: v128, xScale: v128): void {
  const first = f32x4.mul(f32x4.mul(lowScale, xScale), f32x4.convert_i32x4_s(low));
  const second = f32x4.mul(f32x4.mul(highScale, xScale), f32x4.convert_i32x4_s(high));
  v128.store(acc, f32x4.add(v128.load(acc), first));
  v128.store(acc, f32x4.add(v128.load(acc, 16), second), 16);
}

/** acc[tokens][8] += (offset * xScale) * xSum of one group. */
export function addOffsets(acc: usize, offsets: usize, xScales: usize, xSums: usize, tokens: i32): void {
  for (let i = 0; i < tokens; i++) {
    const sum = v128.load32_splat(xSums);
    addScaled(acc, sum, sum, v128.load(offsets), v128.load(offsets, 16), v128.load32_splat(xScales));
    acc += 32;
    xScales += 4;
    xSums += 4;
  }
}

/**
 * One group of i16 pairs times i16 activations. `wide`: the panel holds i16, else int8 codes [k / 2][8][2] that are widened
 * on the way (the layout of int8 weights), with scales of 1. scales: f32 [8]; xScales: f32 [4 tokens].
 */
// @ts-ignore: decorator
@inline
function groupPairs(
  panel: usize, k: i32, wide: bool, x0: usize, x1: usize, x2: usize, x3: usize, acc: usize, scales: usize, xScales: usize,
): void {
  let a0 = i32x4.splat(0);
  let b0 = a0;
  let a1 = i32x4.splat(0);
  let b1 = a1;
  let a2 = i32x4.splat(0);
  let b2 = a2;
  let a3 = i32x4.splat(0);
  let b3 = a3;
  const end = x0 + ((<usize>k) << 1);
  while (x0 < end) {
    let low = wide ? v128.load(panel) : v128.load8x8_s(panel);
    let high = wide ? v128.load(panel, 16) : v128.load8x8_s(panel, 8);
    let x = v128.load32_splat(x0);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(low, x));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(high, x));
    x = v128.load32_splat(x1, 0);
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(low, x));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(high, x));
    x = v128.load32_splat(x2, 0);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(low, x));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(high, x));
    x = v128.load32_splat(x3, 0);
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(low, x));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(high, x));
    low = wide ? v128.load(panel, 32) : v128.load8x8_s(panel, 16);
    high = wide ? v128.load(panel, 48) : v128.load8x8_s(panel, 24);
    x = v128.load32_splat(x0, 4);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(low, x));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(high, x));
    x = v128.load32_splat(x1, 4);
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(low, x));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(high, x));
    x = v128.load32_splat(x2, 4);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(low, x));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(high, x));
    x = v128.load32_splat(x3, 4);
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(low, x));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(high, x));
    panel += wide ? 64 : 32;
    x0 += 8;
    x1 += 8;
    x2 += 8;
    x3 += 8;
  }
  const one = f32x4.splat(1);
  const lowScale = wide ? v128.load(scales) : one;
  const highScale = wide ? v128.load(scales, 16) : one;
  addScaled(acc + 0, a0, b0, lowScale, highScale, v128.load32_splat(xScales, 0));
  addScaled(acc + 32, a1, b1, lowScale, highScale, v128.load32_splat(xScales, 4));
  addScaled(acc + 64, a2, b2, lowScale, highScale, v128.load32_splat(xScales, 8));
  addScaled(acc + 96, a3, b3, lowScale, highScale, v128.load32_splat(xScales, 12));
}

export function groupPairsWide(
  panel: usize, k: i32, x0: usize, x1: usize, x2: usize, x3: usize, acc: usize, scales: usize, xScales: usize,
): void {
  groupPairs(panel, k, true, x0, x1, x2, x3, acc, scales, xScales);
}

export function groupPairsNarrow(
  panel: usize, k: i32, x0: usize, x1: usize, x2: usize, x3: usize, acc: usize, xScales: usize,
): void {
  groupPairs(panel, k, false, x0, x1, x2, x3, acc, 0, xScales);
}
