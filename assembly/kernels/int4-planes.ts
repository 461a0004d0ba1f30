// int4 weights times f32 activations at f32 grade by integers: a group's activations are 24-bit multiples of one scale, as three planes
// of signed bytes x = 65536 x2 + 256 x1 + x0 (planes.ts), so that three byte dots are as exact as f32 and cost less than its
// conversions. Needs FUSED (lanes.ts). A group's sum fits i32: 8 * 8355711 * 32 < 2^31; wider groups are
// taken in pieces of 32 columns. Why blocks take turns: int4-i8.ts.

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { MASKS, SHORT, TOTALS, addZeros, fold, halves } from "./int4-scales";
import { dotWords, madd } from "./lanes";

/**
 * acc[block * 8 + row] = sum over groups of scale * (codes . x). x: per piece the sum of x, i32 [4] (times -8 for symmetric
 * weights, -1 for zero points), then per four columns the three planes, each four times; xScales f32 [groups].
 */
export function int4PlanesVector(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, acc: usize,
): void {
  memory.fill(acc, 0, TOTALS * 2);
  const nibble = v128.load(MASKS);
  const half = v128.load(MASKS, 32);
  const none = i32x4.splat(0);
  // 2^112 undoes the tiny halves; apart from the activations' scale, which may be large.
  const large = f32x4.splat(reinterpret<f32>(0x77800000));
  const bytes = <usize>(min(group, 32) << 2);
  const stride = <usize>groups * <usize>recordBytes(group, offset);
  const end = acc + ((<usize>blocks) << 5);
  for (let g = 0; g < groups; g++) {
    const factor = f32x4.splat(load<f32>(xScales + ((<usize>g) << 2)));
    const meta = weight + (<usize>group << 2);
    for (; weight < meta; weight += bytes) {
      const start = v128.load(x);
      x += 16;
      let record = weight;
      let scales = meta;
      for (let at = acc; at < end; at += 32) {
        let low0 = offset == OFFSET_NONE8 ? start : none;
        let high0 = low0;
        if (offset == OFFSET_ZERO_U4) {
          low0 = addZeros(low0, scales + 16, start);
          high0 = addZeros(high0, scales + 20, start);
        }
        let low1 = none;
        let high1 = none;
        let low2 = none;
        let high2 = none;
        let xp = x;
        const last = record + bytes;
        for (let from = record; from < last; from += 32) {
          const upper = v128.load(from);
          const lower = v128.load(from, 16);
          let a = v128.and(upper, nibble);
          let b = v128.and(lower, nibble);
          let four = v128.load(xp);
          low0 = dotWords(four, a, low0);
          high0 = dotWords(four, b, high0);
          four = v128.load(xp, 16);
          low1 = dotWords(four, a, low1);
          high1 = dotWords(four, b, high1);
          four = v128.load(xp, 32);
          low2 = dotWords(four, a, low2);
          high2 = dotWords(four, b, high2);
          a = v128.and(i16x8.shr_u(upper, 4), nibble);
          b = v128.and(i16x8.shr_u(lower, 4), nibble);
          four = v128.load(xp, 48);
          low0 = dotWords(four, a, low0);
          high0 = dotWords(four, b, high0);
          four = v128.load(xp, 64);
          low1 = dotWords(four, a, low1);
          high1 = dotWords(four, b, high1);
          four = v128.load(xp, 80);
          low2 = dotWords(four, a, low2);
          high2 = dotWords(four, b, high2);
          xp += 96;
        }
        add(at, f32x4.mul(f32x4.mul(halves(scales, half), large), factor), join(low0, low1, low2));
        add(at + 16, f32x4.mul(f32x4.mul(halves(scales + 8, half), large), factor), join(high0, high1, high2));
        if (offset == OFFSET_BIAS) {
          add(at, f32x4.mul(f32x4.mul(halves(scales + 16, half), large), factor), start);
          add(at + 16, f32x4.mul(f32x4.mul(halves(scales + 24, half), large), factor), start);
        }
        record += stride;
        scales += stride;
      }
      x += bytes * 3;
    }
    weight += offset == OFFSET_NONE8 ? 16 : 32;
    if ((g & (SHORT - 1)) == SHORT - 1 || g == groups - 1) fold(acc, end);
  }
  memory.copy(acc, acc + TOTALS, end - acc);
}

// @ts-ignore: decorator
@inline
function add(at: usize, scale: v128, sum: v128): void {
  v128.store(at, madd(scale, f32x4.convert_i32x4_s(sum), v128.load(at)));
}

// @ts-ignore: decorator
@inline
function join(sum0: v128, sum1: v128, sum2: v128): v128 {
  return i32x4.add(sum0, i32x4.shl(i32x4.add(sum1, i32x4.shl(sum2, 8)), 8));
}
