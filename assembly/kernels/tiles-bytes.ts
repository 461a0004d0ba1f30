// The byte tile of matrix times matrix, relaxed builds only: as tiles.ts, but with products of bytes, twice as many a
// vector as products of i16.

import { dotBytes } from "./lanes";
import { addScaled } from "./tiles";

const ONES: usize = memory.data<u32>([0x00010001, 0x00010001, 0x00010001, 0x00010001]);

/**
 * One group of unsigned 4-bit codes as bytes [k / 4][8][4] times int8 activations, relaxed builds only. i16 sums are
 * emptied every 32 columns (16 products of 15 * 127 are the most an i16 holds); sums: i32 [4][8] of the thread, in which
 * groups of 64 and 128 add up. xSums: i32 [4 tokens], the zero point 8 takes 8 times these away.
 */
export function groupBytes(
  panel: usize, k: i32, x0: usize, x1: usize, x2: usize, x3: usize,
  acc: usize, scales: usize, xScales: usize, xSums: usize, sums: usize,
): void {
  const ones = v128.load(ONES);
  const last = x0 + <usize>k;
  const wide = k > 32;
  if (wide) memory.fill(sums, 0, 128);
  while (true) {
    let a0 = i16x8.splat(0);
    let b0 = a0;
    let a1 = i16x8.splat(0);
    let b1 = a1;
    let a2 = i16x8.splat(0);
    let b2 = a2;
    let a3 = i16x8.splat(0);
    let b3 = a3;
    const end = min(last, x0 + 32);
    while (x0 < end) {
      let low = v128.load(panel, 0);
      let high = v128.load(panel, 16);
      let x = v128.load32_splat(x0, 0);
      a0 = i16x8.add(a0, dotBytes(x, low));
      b0 = i16x8.add(b0, dotBytes(x, high));
      x = v128.load32_splat(x1, 0);
      a1 = i16x8.add(a1, dotBytes(x, low));
      b1 = i16x8.add(b1, dotBytes(x, high));
      x = v128.load32_splat(x2, 0);
      a2 = i16x8.add(a2, dotBytes(x, low));
      b2 = i16x8.add(b2, dotBytes(x, high));
      x = v128.load32_splat(x3, 0);
      a3 = i16x8.add(a3, dotBytes(x, low));
      b3 = i16x8.add(b3, dotBytes(x, high));
      low = v128.load(panel, 32);
      high = v128.load(panel, 48);
      x = v128.load32_splat(x0, 4);
      a0 = i16x8.add(a0, dotBytes(x, low));
      b0 = i16x8.add(b0, dotBytes(x, high));
      x = v128.load32_splat(x1, 4);
      a1 = i16x8.add(a1, dotBytes(x, low));
      b1 = i16x8.add(b1, dotBytes(x, high));
      x = v128.load32_splat(x2, 4);
      a2 = i16x8.add(a2, dotBytes(x, low));
      b2 = i16x8.add(b2, dotBytes(x, high));
      x = v128.load32_splat(x3, 4);
      a3 = i16x8.add(a3, dotBytes(x, low));
      b3 = i16x8.add(b3, dotBytes(x, high));
      low = v128.load(panel, 64);
      high = v128.load(panel, 80);
      x = v128.load32_splat(x0, 8);
      a0 = i16x8.add(a0, dotBytes(x, low));
      b0 = i16x8.add(b0, dotBytes(x, high));
      x = v128.load32_splat(x1, 8);
      a1 = i16x8.add(a1, dotBytes(x, low));
      b1 = i16x8.add(b1, dotBytes(x, high));
      x = v128.load32_splat(x2, 8);
      a2 = i16x8.add(a2, dotBytes(x, low));
      b2 = i16x8.add(b2, dotBytes(x, high));
      x = v128.load32_splat(x3, 8);
      a3 = i16x8.add(a3, dotBytes(x, low));
      b3 = i16x8.add(b3, dotBytes(x, high));
      low = v128.load(panel, 96);
      high = v128.load(panel, 112);
      x = v128.load32_splat(x0, 12);
      a0 = i16x8.add(a0, dotBytes(x, low));
      b0 = i16x8.add(b0, dotBytes(x, high));
      x = v128.load32_splat(x1, 12);
      a1 = i16x8.add(a1, dotBytes(x, low));
      b1 = i16x8.add(b1, dotBytes(x, high));
      x = v128.load32_splat(x2, 12);
      a2 = i16x8.add(a2, dotBytes(x, low));
      b2 = i16x8.add(b2, dotBytes(x, high));
      x = v128.load32_splat(x3, 12);
      a3 = i16x8.add(a3, dotBytes(x, low));
      b3 = i16x8.add(b3, dotBytes(x, high));
      panel += 128;
      x0 += 16;
      x1 += 16;
      x2 += 16;
      x3 += 16;
    }
    a0 = i32x4.dot_i16x8_s(a0, ones);
    b0 = i32x4.dot_i16x8_s(b0, ones);
    a1 = i32x4.dot_i16x8_s(a1, ones);
    b1 = i32x4.dot_i16x8_s(b1, ones);
    a2 = i32x4.dot_i16x8_s(a2, ones);
    b2 = i32x4.dot_i16x8_s(b2, ones);
    a3 = i32x4.dot_i16x8_s(a3, ones);
    b3 = i32x4.dot_i16x8_s(b3, ones);
    if (wide) {
      a0 = i32x4.add(a0, v128.load(sums, 0));
      b0 = i32x4.add(b0, v128.load(sums, 16));
      a1 = i32x4.add(a1, v128.load(sums, 32));
      b1 = i32x4.add(b1, v128.load(sums, 48));
      a2 = i32x4.add(a2, v128.load(sums, 64));
      b2 = i32x4.add(b2, v128.load(sums, 80));
      a3 = i32x4.add(a3, v128.load(sums, 96));
      b3 = i32x4.add(b3, v128.load(sums, 112));
    }
    if (x0 < last) {
      v128.store(sums, a0, 0);
      v128.store(sums, b0, 16);
      v128.store(sums, a1, 32);
      v128.store(sums, b1, 48);
      v128.store(sums, a2, 64);
      v128.store(sums, b2, 80);
      v128.store(sums, a3, 96);
      v128.store(sums, b3, 112);
      continue;
    }
    const zeros = i32x4.shl(v128.load(xSums), 3);
    const lowScale = v128.load(scales);
    const highScale = v128.load(scales, 16);
    let zero = v128.shuffle<i32>(zeros, zeros, 0, 0, 0, 0);
    addScaled(acc + 0, i32x4.sub(a0, zero), i32x4.sub(b0, zero), lowScale, highScale, v128.load32_splat(xScales, 0));
    zero = v128.shuffle<i32>(zeros, zeros, 1, 1, 1, 1);
    addScaled(acc + 32, i32x4.sub(a1, zero), i32x4.sub(b1, zero), lowScale, highScale, v128.load32_splat(xScales, 4));
    zero = v128.shuffle<i32>(zeros, zeros, 2, 2, 2, 2);
    addScaled(acc + 64, i32x4.sub(a2, zero), i32x4.sub(b2, zero), lowScale, highScale, v128.load32_splat(xScales, 8));
    zero = v128.shuffle<i32>(zeros, zeros, 3, 3, 3, 3);
    addScaled(acc + 96, i32x4.sub(a3, zero), i32x4.sub(b3, zero), lowScale, highScale, v128.load32_splat(xScales, 12));
    return;
  }
}
