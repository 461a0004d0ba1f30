// int4 weights times f32 activations at f32 grade by integers: a group's activations are 24-bit multiples of one scale, as three planes
// of signed bytes x = 65536 x2 + 256 x1 + x0 (planes.ts), so that three byte dots are as exact as f32 and cost less than its
// conversions. Needs FUSED (lanes.ts). A group's sum fits i32: 8 * 8355711 * 32 < 2^31; wider groups are
// taken in pieces of 32 columns. Why blocks take turns: int4-i8.ts.

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { MASKS, SHORT, TOTALS, fold, halves } from "./int4-scales";
import { dotWords, madd, shiftByte } from "./lanes";

/** Sums of a wide group's pieces wait this far behind the sums: scales lie at its end, and to touch them early slows DRAM's streams. */
const PARTS: usize = 512;

/**
 * acc[block * 8 + row] = sum over groups of scale * (codes . x). x: per piece the sum of x, i32 [4] (times -8 for symmetric
 * weights, -1 for zero points), then per four columns the three planes, each four times; xScales f32 [groups] as spreadPlanes
 * leaves them, of which `unit` has been taken out.
 */
export function int4PlanesVector(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, unit: f32, acc: usize,
): void {
  memory.fill(acc, 0, TOTALS * 2);
  const nibble = v128.load(MASKS);
  const half = v128.load(MASKS, 32);
  const up = v128.load(MASKS, 112);
  const none = i32x4.splat(0);
  const wide = group > 16;
  // Zero points lie there too.
  const apart = offset != OFFSET_ZERO_U4;
  const bytes: usize = wide ? 128 : 64;
  const stride = <usize>groups * <usize>recordBytes(group, offset);
  const end = acc + ((<usize>blocks) << 5);
  for (let g = 0; g < groups; g++) {
    const factor = f32x4.splat(load<f32>(xScales + ((<usize>g) << 2)));
    const first = weight;
    const meta = weight + (<usize>group << 2);
    for (; weight < meta; weight += bytes) {
      const start = v128.load(x);
      x += 16;
      const begun = apart && weight > first;
      const waits = apart && weight + bytes < meta;
      let record = weight;
      let scales = meta;
      for (let at = acc; at < end; at += 32) {
        let low0 = offset == OFFSET_NONE8 ? start : none;
        let high0 = low0;
        if (offset == OFFSET_ZERO_U4) {
          const zeros = v128.load8x8_u(scales, 16);
          low0 = i32x4.mul(i32x4.extend_low_i16x8_u(zeros), start);
          high0 = i32x4.mul(i32x4.extend_high_i16x8_u(zeros), start);
        }
        let low1 = none;
        let high1 = none;
        let low2 = none;
        let high2 = none;
        let upper = v128.load(record);
        let lower = v128.load(record, 16);
        let a = v128.and(upper, nibble);
        let b = v128.and(lower, nibble);
        let four = v128.load(x);
        low0 = dotWords(four, a, low0);
        high0 = dotWords(four, b, high0);
        four = v128.load(x, 16);
        low1 = dotWords(four, a, low1);
        high1 = dotWords(four, b, high1);
        four = v128.load(x, 32);
        low2 = dotWords(four, a, low2);
        high2 = dotWords(four, b, high2);
        a = v128.and(i16x8.shr_u(upper, 4), nibble);
        b = v128.and(i16x8.shr_u(lower, 4), nibble);
        four = v128.load(x, 48);
        low0 = dotWords(four, a, low0);
        high0 = dotWords(four, b, high0);
        four = v128.load(x, 64);
        low1 = dotWords(four, a, low1);
        high1 = dotWords(four, b, high1);
        four = v128.load(x, 80);
        low2 = dotWords(four, a, low2);
        high2 = dotWords(four, b, high2);
        upper = v128.load(record, 32);
        lower = v128.load(record, 48);
        a = v128.and(upper, nibble);
        b = v128.and(lower, nibble);
        four = v128.load(x, 96);
        low0 = dotWords(four, a, low0);
        high0 = dotWords(four, b, high0);
        four = v128.load(x, 112);
        low1 = dotWords(four, a, low1);
        high1 = dotWords(four, b, high1);
        four = v128.load(x, 128);
        low2 = dotWords(four, a, low2);
        high2 = dotWords(four, b, high2);
        a = v128.and(i16x8.shr_u(upper, 4), nibble);
        b = v128.and(i16x8.shr_u(lower, 4), nibble);
        four = v128.load(x, 144);
        low0 = dotWords(four, a, low0);
        high0 = dotWords(four, b, high0);
        four = v128.load(x, 160);
        low1 = dotWords(four, a, low1);
        high1 = dotWords(four, b, high1);
        four = v128.load(x, 176);
        low2 = dotWords(four, a, low2);
        high2 = dotWords(four, b, high2);
        if (wide) {
          upper = v128.load(record, 64);
          lower = v128.load(record, 80);
          a = v128.and(upper, nibble);
          b = v128.and(lower, nibble);
          four = v128.load(x, 192);
          low0 = dotWords(four, a, low0);
          high0 = dotWords(four, b, high0);
          four = v128.load(x, 208);
          low1 = dotWords(four, a, low1);
          high1 = dotWords(four, b, high1);
          four = v128.load(x, 224);
          low2 = dotWords(four, a, low2);
          high2 = dotWords(four, b, high2);
          a = v128.and(i16x8.shr_u(upper, 4), nibble);
          b = v128.and(i16x8.shr_u(lower, 4), nibble);
          four = v128.load(x, 240);
          low0 = dotWords(four, a, low0);
          high0 = dotWords(four, b, high0);
          four = v128.load(x, 256);
          low1 = dotWords(four, a, low1);
          high1 = dotWords(four, b, high1);
          four = v128.load(x, 272);
          low2 = dotWords(four, a, low2);
          high2 = dotWords(four, b, high2);
          upper = v128.load(record, 96);
          lower = v128.load(record, 112);
          a = v128.and(upper, nibble);
          b = v128.and(lower, nibble);
          four = v128.load(x, 288);
          low0 = dotWords(four, a, low0);
          high0 = dotWords(four, b, high0);
          four = v128.load(x, 304);
          low1 = dotWords(four, a, low1);
          high1 = dotWords(four, b, high1);
          four = v128.load(x, 320);
          low2 = dotWords(four, a, low2);
          high2 = dotWords(four, b, high2);
          a = v128.and(i16x8.shr_u(upper, 4), nibble);
          b = v128.and(i16x8.shr_u(lower, 4), nibble);
          four = v128.load(x, 336);
          low0 = dotWords(four, a, low0);
          high0 = dotWords(four, b, high0);
          four = v128.load(x, 352);
          low1 = dotWords(four, a, low1);
          high1 = dotWords(four, b, high1);
          four = v128.load(x, 368);
          low2 = dotWords(four, a, low2);
          high2 = dotWords(four, b, high2);
        }
        let low = f32x4.convert_i32x4_s(join(low0, low1, low2, up));
        let high = f32x4.convert_i32x4_s(join(high0, high1, high2, up));
        if (begun) {
          low = f32x4.add(low, v128.load(at, PARTS));
          high = f32x4.add(high, v128.load(at, PARTS + 16));
        }
        if (waits) {
          v128.store(at, low, PARTS);
          v128.store(at, high, PARTS + 16);
        } else {
          add(at, f32x4.mul(halves(scales, half), factor), low);
          add(at + 16, f32x4.mul(halves(scales + 8, half), factor), high);
        }
        if (offset == OFFSET_BIAS) {
          const sum = f32x4.convert_i32x4_s(start);
          add(at, f32x4.mul(halves(scales + 16, half), factor), sum);
          add(at + 16, f32x4.mul(halves(scales + 24, half), factor), sum);
        }
        record += stride;
        scales += stride;
      }
      x += bytes * 3;
    }
    weight += offset == OFFSET_NONE8 ? 16 : 32;
    if ((g & (SHORT - 1)) == SHORT - 1 || g == groups - 1) fold(acc, end);
  }
  const back = f32x4.splat(unit);
  for (let at = acc; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at, TOTALS), back));
}

// @ts-ignore: decorator
@inline
function add(at: usize, scale: v128, sum: v128): void {
  v128.store(at, madd(scale, sum, v128.load(at)));
}

// @ts-ignore: decorator
@inline
function join(sum0: v128, sum1: v128, sum2: v128, up: v128): v128 {
  return i32x4.add(sum0, shiftByte(i32x4.add(sum1, shiftByte(sum2, up)), up));
}
