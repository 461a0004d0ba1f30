// int4 x int8 vector kernels of plain SIMD: products of i16 pairs
// (spreadPairs), summed in i32. Why blocks take turns: int4-i8.ts.

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { MASKS, accumulate, addZeros } from "./int4-scales";

/** What all blocks of a group share stands this far behind their sums: in registers V8 would build it anew for each block. */
const FACTOR: usize = 512;
const START: usize = 528;

/** 2^112 undoes the tiny halves; the sums are 256 times too large. */
// @ts-ignore: decorator
@inline
function pairsFactor(xScales: usize, g: i32): v128 {
  return f32x4.splat(load<f32>(xScales + ((<usize>g) << 2)) * reinterpret<f32>(0x73800000));
}

/** Adds eight columns of four rows to i32 sums: nibbles stay in place, the activations carry the powers of 16. */
// @ts-ignore: decorator
@inline
function stepPairs(sum: v128, codes: v128, x: usize, m0: v128, m1: v128, m2: v128): v128 {
  sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.and(codes, m0), v128.load(x)));
  sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.and(codes, m1), v128.load(x, 16)));
  sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.and(codes, m2), v128.load(x, 32)));
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.shr_u(codes, 12), v128.load(x, 48)));
}

/** Groups of 32 or more: 16 columns unrolled (longer bodies spill in Node 20). */
export function pairs32(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  const half = v128.load(MASKS, 32);
  const m0 = v128.load(MASKS, 48);
  const m1 = v128.load(MASKS, 64);
  const m2 = v128.load(MASKS, 80);
  const bytes = <usize>recordBytes(group, offset);
  const stride = <usize>groups * bytes;
  const codeBytes = (<usize>group) << 2;
  for (let g = 0; g < groups; g++) {
    v128.store(acc, pairsFactor(xScales, g), FACTOR);
    const sum = load<i32>(xSums + ((<usize>g) << 2)) << 8;
    v128.store(acc, i32x4.splat(offset == OFFSET_NONE8 ? sum * -8 : 0), START);
    let record = weight + <usize>g * bytes;
    for (let b = 0; b < blocks; b++) {
      const at = acc + ((<usize>b) << 5);
      let low = v128.load(acc, START);
      let high = low;
      let xp = x;
      let from = record;
      const end = record + codeBytes;
      while (from < end) {
        let upper = v128.load(from);
        let lower = v128.load(from, 16);
        let xs = v128.load(xp);
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.and(upper, m0), xs));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.and(lower, m0), xs));
        xs = v128.load(xp, 16);
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.and(upper, m1), xs));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.and(lower, m1), xs));
        xs = v128.load(xp, 32);
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.and(upper, m2), xs));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.and(lower, m2), xs));
        xs = v128.load(xp, 48);
        low = i32x4.add(low, i32x4.dot_i16x8_s(i16x8.shr_u(upper, 12), xs));
        high = i32x4.add(high, i32x4.dot_i16x8_s(i16x8.shr_u(lower, 12), xs));
        upper = v128.load(from, 32);
        lower = v128.load(from, 48);
        xs = v128.load(xp, 64);
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.and(upper, m0), xs));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.and(lower, m0), xs));
        xs = v128.load(xp, 80);
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.and(upper, m1), xs));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.and(lower, m1), xs));
        xs = v128.load(xp, 96);
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.and(upper, m2), xs));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.and(lower, m2), xs));
        xs = v128.load(xp, 112);
        low = i32x4.add(low, i32x4.dot_i16x8_s(i16x8.shr_u(upper, 12), xs));
        high = i32x4.add(high, i32x4.dot_i16x8_s(i16x8.shr_u(lower, 12), xs));
        from += 64;
        xp += 128;
      }
      if (offset == OFFSET_ZERO_U4) {
        // 256 times the zero points times the plain sum: both fit i16.
        const zeros = i16x8.shl(v128.load8x8_u(end, 16), 8);
        low = addZeros(low, i32x4.extend_low_i16x8_u(zeros), i32x4.splat(-sum >> 8));
        high = addZeros(high, i32x4.extend_high_i16x8_u(zeros), i32x4.splat(-sum >> 8));
      }
      const factor = v128.load(acc, FACTOR);
      accumulate(at, end, low, factor, half);
      accumulate(at + 16, end + 8, high, factor, half);
      if (offset == OFFSET_BIAS) {
        accumulate(at, end + 16, i32x4.splat(sum), factor, half);
        accumulate(at + 16, end + 24, i32x4.splat(sum), factor, half);
      }
      record += stride;
    }
    x += codeBytes << 1;
  }
}

/** Groups of 16, one step at a time. */
export function pairs16(
  weight: usize, blocks: i32, groups: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  const half = v128.load(MASKS, 32);
  const m0 = v128.load(MASKS, 48);
  const m1 = v128.load(MASKS, 64);
  const m2 = v128.load(MASKS, 80);
  const bytes = <usize>recordBytes(16, offset);
  const codeBytes: usize = 64;
  for (let g = 0; g < groups; g++) {
    const factor = pairsFactor(xScales, g);
    const sum = load<i32>(xSums + ((<usize>g) << 2)) * 256;
    for (let b = 0; b < blocks; b++) {
      const at = acc + ((<usize>b) << 5);
      const record = weight + <usize>(b * groups + g) * bytes;
      const meta = record + codeBytes;
      let low = i32x4.splat(0);
      let high = i32x4.splat(0);
      if (offset == OFFSET_NONE8) low = high = i32x4.splat(sum * -8);
      if (offset == OFFSET_ZERO_U4) {
        const zeros = v128.load8x8_u(meta + 16);
        low = i32x4.mul(i32x4.extend_low_i16x8_u(zeros), i32x4.splat(-sum));
        high = i32x4.mul(i32x4.extend_high_i16x8_u(zeros), i32x4.splat(-sum));
      }
      let xp = x;
      for (let from = record; from < meta; from += 32) {
        low = stepPairs(low, v128.load(from), xp, m0, m1, m2);
        high = stepPairs(high, v128.load(from, 16), xp, m0, m1, m2);
        xp += 64;
      }
      accumulate(at, meta, low, factor, half);
      accumulate(at + 16, meta + 8, high, factor, half);
      if (offset == OFFSET_BIAS) {
        accumulate(at, meta + 16, i32x4.splat(sum), factor, half);
        accumulate(at + 16, meta + 24, i32x4.splat(sum), factor, half);
      }
    }
    x += codeBytes << 1;
  }
}
