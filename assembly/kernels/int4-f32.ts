// int4 weights ("r8" layout) times one vector of f32 activations, eight streams as in int4-i8.ts. Nibbles are masked in
// place and converted; the activations (spreadFloats) carry the powers of 16. One sum per group, then its scale.

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { madd } from "./lanes";

const MASKS: usize = memory.data<u32>([
  0x0000000f, 0x0000000f, 0x0000000f, 0x0000000f,
  0x000000f0, 0x000000f0, 0x000000f0, 0x000000f0,
  0x00000f00, 0x00000f00, 0x00000f00, 0x00000f00,
  0x0000f000, 0x0000f000, 0x0000f000, 0x0000f000,
  0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000, // a half shifted left by 13
  0x77800000, 0x77800000, 0x77800000, 0x77800000, // 2^112
]);

/** acc[block * 8 + row] = sum over groups of scale * (codes . x), for `blocks` neighbouring blocks. */
export function int4F32Vector(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xSums: usize, acc: usize,
): void {
  memory.fill(acc, 0, (<usize>blocks) << 5);
  if (offset == OFFSET_NONE8) vector(weight, blocks, groups, group, OFFSET_NONE8, x, xSums, acc);
  else if (offset == OFFSET_ZERO_U4) vector(weight, blocks, groups, group, OFFSET_ZERO_U4, x, xSums, acc);
  else vector(weight, blocks, groups, group, OFFSET_BIAS, x, xSums, acc);
}

// @ts-ignore: decorator
@inline
function half(at: usize): v128 {
  return f32x4.mul(v128.and(i32x4.shl(v128.load16x4_s(at), 13), v128.load(MASKS, 64)), v128.load(MASKS, 80));
}

/** Four columns of four rows: the low 16 bits of each lane. */
// @ts-ignore: decorator
@inline
function quarter(sum: v128, codes: v128, x: usize, m0: v128, m1: v128, m2: v128, m3: v128): v128 {
  sum = madd(f32x4.convert_i32x4_s(v128.and(codes, m0)), v128.load(x), sum);
  sum = madd(f32x4.convert_i32x4_s(v128.and(codes, m1)), v128.load(x, 16), sum);
  sum = madd(f32x4.convert_i32x4_s(v128.and(codes, m2)), v128.load(x, 32), sum);
  return madd(f32x4.convert_i32x4_s(v128.and(codes, m3)), v128.load(x, 48), sum);
}

// @ts-ignore: decorator
@inline
function vector(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xSums: usize, acc: usize,
): void {
  const m0 = v128.load(MASKS);
  const m1 = v128.load(MASKS, 16);
  const m2 = v128.load(MASKS, 32);
  const m3 = v128.load(MASKS, 48);
  const bytes = <usize>recordBytes(group, offset);
  const codeBytes = (<usize>group) << 2;
  for (let g = 0; g < groups; g++) {
    const xSum = f32x4.splat(load<f32>(xSums + ((<usize>g) << 2)));
    for (let b = 0; b < blocks; b++) {
      const at = acc + ((<usize>b) << 5);
      const record = weight + <usize>(b * groups + g) * bytes;
      const meta = record + codeBytes;
      let low = f32x4.splat(0);
      let high = f32x4.splat(0);
      if (offset == OFFSET_NONE8) low = high = f32x4.mul(xSum, f32x4.splat(-8));
      if (offset == OFFSET_ZERO_U4) {
        const zeros = v128.load8x8_u(meta + 16);
        low = f32x4.neg(f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(zeros)), xSum));
        high = f32x4.neg(f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(zeros)), xSum));
      }
      // Four chains of sums: one multiply-add after another in two chains would wait for its latency.
      let low2 = f32x4.splat(0);
      let high2 = low2;
      let xp = x;
      for (let from = record; from < meta; from += 32) {
        const upper = v128.load(from);
        const lower = v128.load(from, 16);
        low = quarter(low, upper, xp, m0, m1, m2, m3);
        high = quarter(high, lower, xp, m0, m1, m2, m3);
        low2 = quarter(low2, i32x4.shr_u(upper, 16), xp + 64, m0, m1, m2, m3);
        high2 = quarter(high2, i32x4.shr_u(lower, 16), xp + 64, m0, m1, m2, m3);
        xp += 128;
      }
      let first = madd(half(meta), f32x4.add(low, low2), v128.load(at));
      let second = madd(half(meta + 8), f32x4.add(high, high2), v128.load(at, 16));
      if (offset == OFFSET_BIAS) {
        first = madd(half(meta + 16), xSum, first);
        second = madd(half(meta + 24), xSum, second);
      }
      v128.store(at, first);
      v128.store(at, second, 16);
    }
    x += codeBytes << 2;
  }
}
