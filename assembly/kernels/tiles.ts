// The inner tiles of matrix times matrix: eight rows (lane = row) times four tokens, eight accumulators in registers.
// Panels as in int4-panel.ts. acc: f32 [4 tokens][8 rows], added to, so that a long K is cut into panels.

import { dotBytes, madd } from "./lanes";

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
  const end = panel + ((<usize>k) << 5);
  while (panel < end) {
    const low = v128.load(panel);
    const high = v128.load(panel, 16);
    panel += 32;
    let x = v128.load32_splat(x0);
    a0 = madd(low, x, a0);
    b0 = madd(high, x, b0);
    x0 += 4;
    x = v128.load32_splat(x1);
    a1 = madd(low, x, a1);
    b1 = madd(high, x, b1);
    x1 += 4;
    x = v128.load32_splat(x2);
    a2 = madd(low, x, a2);
    b2 = madd(high, x, b2);
    x2 += 4;
    x = v128.load32_splat(x3);
    a3 = madd(low, x, a3);
    b3 = madd(high, x, b3);
    x3 += 4;
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

/**
 * One group of i16 pairs times i16 activations: exact sums to `sums` i32 [4][8]. `wide`: the panel holds i16, else int8
 * codes [k / 2][8][2] that are widened on the way (the layout of int8 weights).
 */
// @ts-ignore: decorator
@inline
function groupPairs(panel: usize, k: i32, wide: bool, x0: usize, x1: usize, x2: usize, x3: usize, sums: usize): void {
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
    const low = wide ? v128.load(panel) : v128.load8x8_s(panel);
    const high = wide ? v128.load(panel, 16) : v128.load8x8_s(panel, 8);
    panel += wide ? 32 : 16;
    let x = v128.load32_splat(x0);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(low, x));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(high, x));
    x0 += 4;
    x = v128.load32_splat(x1);
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(low, x));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(high, x));
    x1 += 4;
    x = v128.load32_splat(x2);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(low, x));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(high, x));
    x2 += 4;
    x = v128.load32_splat(x3);
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(low, x));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(high, x));
    x3 += 4;
  }
  v128.store(sums, a0, 0);
  v128.store(sums, b0, 16);
  v128.store(sums, a1, 32);
  v128.store(sums, b1, 48);
  v128.store(sums, a2, 64);
  v128.store(sums, b2, 80);
  v128.store(sums, a3, 96);
  v128.store(sums, b3, 112);
}

export function groupPairsWide(panel: usize, k: i32, x0: usize, x1: usize, x2: usize, x3: usize, sums: usize): void {
  groupPairs(panel, k, true, x0, x1, x2, x3, sums);
}

export function groupPairsNarrow(panel: usize, k: i32, x0: usize, x1: usize, x2: usize, x3: usize, sums: usize): void {
  groupPairs(panel, k, false, x0, x1, x2, x3, sums);
}

const ONES: usize = memory.data<u32>([0x00010001, 0x00010001, 0x00010001, 0x00010001]);

/**
 * One group of unsigned 4-bit codes as bytes [k / 4][8][4] times int8 activations, relaxed builds only: sums += exact
 * products, in pieces of at most 32 columns (16 products of 15 * 127 are the most an i16 holds).
 */
export function groupBytes(panel: usize, k: i32, x0: usize, x1: usize, x2: usize, x3: usize, sums: usize): void {
  const piece = <usize>min(k, 32);
  const last = x0 + <usize>k;
  while (x0 < last) {
    let a0 = i16x8.splat(0);
    let b0 = a0;
    let a1 = i16x8.splat(0);
    let b1 = a1;
    let a2 = i16x8.splat(0);
    let b2 = a2;
    let a3 = i16x8.splat(0);
    let b3 = a3;
    const end = x0 + piece;
    while (x0 < end) {
      const low = v128.load(panel);
      const high = v128.load(panel, 16);
      panel += 32;
      let x = v128.load32_splat(x0);
      a0 = i16x8.add(a0, dotBytes(x, low));
      b0 = i16x8.add(b0, dotBytes(x, high));
      x0 += 4;
      x = v128.load32_splat(x1);
      a1 = i16x8.add(a1, dotBytes(x, low));
      b1 = i16x8.add(b1, dotBytes(x, high));
      x1 += 4;
      x = v128.load32_splat(x2);
      a2 = i16x8.add(a2, dotBytes(x, low));
      b2 = i16x8.add(b2, dotBytes(x, high));
      x2 += 4;
      x = v128.load32_splat(x3);
      a3 = i16x8.add(a3, dotBytes(x, low));
      b3 = i16x8.add(b3, dotBytes(x, high));
      x3 += 4;
    }
    const ones = v128.load(ONES);
    v128.store(sums, i32x4.add(v128.load(sums, 0), i32x4.dot_i16x8_s(a0, ones)), 0);
    v128.store(sums, i32x4.add(v128.load(sums, 16), i32x4.dot_i16x8_s(b0, ones)), 16);
    v128.store(sums, i32x4.add(v128.load(sums, 32), i32x4.dot_i16x8_s(a1, ones)), 32);
    v128.store(sums, i32x4.add(v128.load(sums, 48), i32x4.dot_i16x8_s(b1, ones)), 48);
    v128.store(sums, i32x4.add(v128.load(sums, 64), i32x4.dot_i16x8_s(a2, ones)), 64);
    v128.store(sums, i32x4.add(v128.load(sums, 80), i32x4.dot_i16x8_s(b2, ones)), 80);
    v128.store(sums, i32x4.add(v128.load(sums, 96), i32x4.dot_i16x8_s(a3, ones)), 96);
    v128.store(sums, i32x4.add(v128.load(sums, 112), i32x4.dot_i16x8_s(b3, ones)), 112);
  }
}

/** acc[8] += (scale * xScale) * sums[8] of one token; the same float steps as the vector kernels. */
// @ts-ignore: decorator
@inline
export function addScaled(acc: usize, sums: usize, scales: usize, xScale: v128): void {
  const low = f32x4.mul(f32x4.mul(v128.load(scales), xScale), f32x4.convert_i32x4_s(v128.load(sums)));
  const high = f32x4.mul(f32x4.mul(v128.load(scales, 16), xScale), f32x4.convert_i32x4_s(v128.load(sums, 16)));
  v128.store(acc, f32x4.add(v128.load(acc), low));
  v128.store(acc, f32x4.add(v128.load(acc, 16), high), 16);
}
