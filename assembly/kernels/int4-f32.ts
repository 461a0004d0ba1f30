// int4 weights ("r8" layout) times one vector of f32 activations, eight streams as in int4-i8.ts. Nibbles are masked in
// place and converted; the activations (spreadFloats) carry the powers of 16. One sum per group, then its scale.

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { SHORT, TOTALS, fold } from "./int4-scales";
import { madd } from "./lanes";

const MASKS: usize = memory.data<u32>([
  0x0000000f, 0x0000000f, 0x0000000f, 0x0000000f,
  0x000000f0, 0x000000f0, 0x000000f0, 0x000000f0,
  0x00000f00, 0x00000f00, 0x00000f00, 0x00000f00,
  0x0000f000, 0x0000f000, 0x0000f000, 0x0000f000,
  0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000, // a half shifted left by 13
  0x77800000, 0x77800000, 0x77800000, 0x77800000, // 2^112
]);

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

/**
 * acc[block * 8 + row] = sum over groups of scale * (codes . x), for `blocks` neighbouring blocks. Short sums, which f32 rounds less:
 * pieces of at most 32 columns are scaled and added up, and after SHORT of them go to the totals.
 */
export function int4F32Vector(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xSums: usize, acc: usize,
): void {
  memory.fill(acc, 0, TOTALS * 2);
  const m0 = v128.load(MASKS);
  const m1 = v128.load(MASKS, 16);
  const m2 = v128.load(MASKS, 32);
  const m3 = v128.load(MASKS, 48);
  const bytes = <usize>recordBytes(group, offset);
  const codeBytes = (<usize>group) << 2;
  const end = acc + ((<usize>blocks) << 5);
  const short = SHORT / max(1, group >> 5);
  for (let g = 0; g < groups; g++) {
    const sum = load<f32>(xSums + ((<usize>g) << 2));
    const xSum = f32x4.splat(sum);
    // Every piece begins with its share of the zero point's part, so that sums stay small.
    const share = f32x4.splat(group > 32 ? sum / <f32>(group >> 5) : sum);
    for (let b = 0; b < blocks; b++) {
      const at = acc + ((<usize>b) << 5);
      const record = weight + <usize>(b * groups + g) * bytes;
      const meta = record + codeBytes;
      let firstLow = f32x4.splat(0);
      let firstHigh = firstLow;
      if (offset == OFFSET_NONE8) firstLow = firstHigh = f32x4.mul(share, f32x4.splat(-8));
      if (offset == OFFSET_ZERO_U4) {
        const zeros = v128.load8x8_u(meta + 16);
        firstLow = f32x4.neg(f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(zeros)), share));
        firstHigh = f32x4.neg(f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(zeros)), share));
      }
      let xp = x;
      let from = record;
      while (from < meta) {
        // Four chains of sums: one multiply-add after another in two chains would wait for its latency.
        let low = firstLow;
        let high = firstHigh;
        let low2 = f32x4.splat(0);
        let high2 = low2;
        for (const piece = min(meta, from + 128); from < piece; from += 32) {
          const upper = v128.load(from);
          const lower = v128.load(from, 16);
          low = quarter(low, upper, xp, m0, m1, m2, m3);
          high = quarter(high, lower, xp, m0, m1, m2, m3);
          low2 = quarter(low2, i32x4.shr_u(upper, 16), xp + 64, m0, m1, m2, m3);
          high2 = quarter(high2, i32x4.shr_u(lower, 16), xp + 64, m0, m1, m2, m3);
          xp += 128;
        }
        v128.store(at, madd(half(meta), f32x4.add(low, low2), v128.load(at)));
        v128.store(at, madd(half(meta + 8), f32x4.add(high, high2), v128.load(at, 16)), 16);
      }
      if (offset == OFFSET_BIAS) {
        v128.store(at, madd(half(meta + 16), xSum, v128.load(at)));
        v128.store(at, madd(half(meta + 24), xSum, v128.load(at, 16)), 16);
      }
    }
    x += codeBytes << 2;
    if ((g & (short - 1)) == short - 1 || g == groups - 1) fold(acc, end);
  }
  memory.copy(acc, acc + TOTALS, end - acc);
}
