// int4 weights ("r8" layout of src/core/packed.ts) times one vector of int8 activations. A unit is up to eight row
// blocks that are read as eight streams, one group of each in turn, with row sums kept in memory: DRAM serves eight
// linear streams about 1.5 times as fast as one, and the code stays the body of one group.
// Integer sums are exact; the float steps are the same in every build, so all builds give the same bits.

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { RELAXED, dotBytes } from "./lanes";

// Masks live in memory: written as constants they are rebuilt at every use (three instructions each).
const MASKS: usize = memory.data<u32>([
  0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, // low nibbles of bytes
  0x00010001, 0x00010001, 0x00010001, 0x00010001, // i16 ones
  0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000, // sign, exponent and mantissa of a half shifted left by 13
  0x000f000f, 0x000f000f, 0x000f000f, 0x000f000f, // nibble positions 0 to 2 of an i16
  0x00f000f0, 0x00f000f0, 0x00f000f0, 0x00f000f0,
  0x0f000f00, 0x0f000f00, 0x0f000f00, 0x0f000f00,
]);

/** acc[block * 8 + row] = sum over groups of scale * (codes . x), for `blocks` neighbouring blocks. */
export function int4I8Vector(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  memory.fill(acc, 0, (<usize>blocks) << 5);
  if (RELAXED) {
    if (offset == OFFSET_NONE8) {
      if (group == 32) bytes32(weight, blocks, groups, x, xScales, acc);
      else if (group == 16) bytes16(weight, blocks, groups, x, xScales, acc);
      else bytesWide(weight, blocks, groups, group, x, xScales, acc);
      return;
    }
  }
  if (offset == OFFSET_NONE8) {
    if (group == 16) pairs(weight, blocks, groups, group, OFFSET_NONE8, x, xScales, xSums, acc);
    else pairs32(weight, blocks, groups, group, x, xScales, xSums, acc);
  } else if (offset == OFFSET_ZERO_U4) pairs(weight, blocks, groups, group, OFFSET_ZERO_U4, x, xScales, xSums, acc);
  else pairs(weight, blocks, groups, group, OFFSET_BIAS, x, xScales, xSums, acc);
}

/** i32 sums of the eight blocks lie this far behind their float sums. */
const ROW_SUMS: usize = 256;

/** Does this build's int4 x int8 vector kernel take byte operands (spreadBytes) or pairs (spreadPairs)? */
// @ts-ignore: decorator
@inline
export function takesBytes(offset: i32): bool {
  return RELAXED && offset == OFFSET_NONE8;
}

/** Four f16 scales as f32 times 2^-112. */
// @ts-ignore: decorator
@inline
function halves(at: usize, mask: v128): v128 {
  return v128.and(i32x4.shl(v128.load16x4_s(at), 13), mask);
}

/** acc += (scale * factor) * sum for the four rows at `at`. */
// @ts-ignore: decorator
@inline
function accumulate(at: usize, scales: usize, sum: v128, factor: v128, mask: v128): void {
  const scaled = f32x4.mul(halves(scales, mask), factor);
  v128.store(at, f32x4.add(v128.load(at), f32x4.mul(scaled, f32x4.convert_i32x4_s(sum))));
}

// 2^112 undoes the tiny halves; the pairs kernels' sums are 256 times too large.
// @ts-ignore: decorator
@inline
function bytesFactor(xScales: usize, g: i32): v128 {
  return f32x4.splat(load<f32>(xScales + ((<usize>g) << 2)) * reinterpret<f32>(0x77800000));
}
// @ts-ignore: decorator
@inline
function pairsFactor(xScales: usize, g: i32): v128 {
  return f32x4.splat(load<f32>(xScales + ((<usize>g) << 2)) * reinterpret<f32>(0x73800000));
}

/** Adds eight columns of four rows to i16 sums. */
// @ts-ignore: decorator
@inline
function stepBytes(sum: v128, codes: v128, first: v128, last: v128, nibble: v128): v128 {
  sum = i16x8.add(sum, dotBytes(first, v128.and(codes, nibble)));
  return i16x8.add(sum, dotBytes(last, v128.and(i16x8.shr_u(codes, 4), nibble)));
}

function bytes32(weight: usize, blocks: i32, groups: i32, x: usize, xScales: usize, acc: usize): void {
  const nibble = v128.load(MASKS);
  const ones = v128.load(MASKS, 16);
  const half = v128.load(MASKS, 32);
  const stride = <usize>groups * 144;
  for (let g = 0; g < groups; g++) {
    const factor = bytesFactor(xScales, g);
    let record = weight + <usize>g * 144;
    const end = acc + ((<usize>blocks) << 5);
    for (let at = acc; at < end; at += 32) {
      let low = v128.load(x);
      let high = low;
      let first = v128.load(x, 16);
      let last = v128.load(x, 32);
      low = stepBytes(low, v128.load(record), first, last, nibble);
      high = stepBytes(high, v128.load(record, 16), first, last, nibble);
      first = v128.load(x, 48);
      last = v128.load(x, 64);
      low = stepBytes(low, v128.load(record, 32), first, last, nibble);
      high = stepBytes(high, v128.load(record, 48), first, last, nibble);
      first = v128.load(x, 80);
      last = v128.load(x, 96);
      low = stepBytes(low, v128.load(record, 64), first, last, nibble);
      high = stepBytes(high, v128.load(record, 80), first, last, nibble);
      first = v128.load(x, 112);
      last = v128.load(x, 128);
      low = stepBytes(low, v128.load(record, 96), first, last, nibble);
      high = stepBytes(high, v128.load(record, 112), first, last, nibble);
      accumulate(at, record + 128, i32x4.dot_i16x8_s(low, ones), factor, half);
      accumulate(at + 16, record + 136, i32x4.dot_i16x8_s(high, ones), factor, half);
      record += stride;
    }
    x += 144;
  }
}

function bytes16(weight: usize, blocks: i32, groups: i32, x: usize, xScales: usize, acc: usize): void {
  const nibble = v128.load(MASKS);
  const ones = v128.load(MASKS, 16);
  const half = v128.load(MASKS, 32);
  const stride = <usize>groups * 80;
  for (let g = 0; g < groups; g++) {
    const factor = bytesFactor(xScales, g);
    let record = weight + <usize>g * 80;
    for (let b = 0; b < blocks; b++) {
      const at = acc + ((<usize>b) << 5);
      let low = v128.load(x);
      let high = low;
      let first = v128.load(x, 16);
      let last = v128.load(x, 32);
      low = stepBytes(low, v128.load(record), first, last, nibble);
      high = stepBytes(high, v128.load(record, 16), first, last, nibble);
      first = v128.load(x, 48);
      last = v128.load(x, 64);
      low = stepBytes(low, v128.load(record, 32), first, last, nibble);
      high = stepBytes(high, v128.load(record, 48), first, last, nibble);
      accumulate(at, record + 64, i32x4.dot_i16x8_s(low, ones), factor, half);
      accumulate(at + 16, record + 72, i32x4.dot_i16x8_s(high, ones), factor, half);
      record += stride;
    }
    x += 80;
  }
}

/**
 * Groups of 64 and 128 in pieces of 32 columns, the i16 sums of one being emptied to i32 sums in memory (behind acc). The
 * streams take turns after each piece: with a whole group at a time the core would see only one or two of them.
 */
function bytesWide(weight: usize, blocks: i32, groups: i32, group: i32, x: usize, xScales: usize, acc: usize): void {
  const nibble = v128.load(MASKS);
  const ones = v128.load(MASKS, 16);
  const half = v128.load(MASKS, 32);
  const bytes = <usize>recordBytes(group, OFFSET_NONE8);
  const stride = <usize>groups * bytes;
  const end = acc + ((<usize>blocks) << 5);
  for (let g = 0; g < groups; g++) {
    const factor = bytesFactor(xScales, g);
    for (let left = group; left > 0; left -= 32) {
      let record = weight;
      for (let at = acc; at < end; at += 32) {
        let low = v128.load(x);
        let high = low;
        let first = v128.load(x, 16);
        let last = v128.load(x, 32);
        low = stepBytes(low, v128.load(record), first, last, nibble);
        high = stepBytes(high, v128.load(record, 16), first, last, nibble);
        first = v128.load(x, 48);
        last = v128.load(x, 64);
        low = stepBytes(low, v128.load(record, 32), first, last, nibble);
        high = stepBytes(high, v128.load(record, 48), first, last, nibble);
        first = v128.load(x, 80);
        last = v128.load(x, 96);
        low = stepBytes(low, v128.load(record, 64), first, last, nibble);
        high = stepBytes(high, v128.load(record, 80), first, last, nibble);
        first = v128.load(x, 112);
        last = v128.load(x, 128);
        low = stepBytes(low, v128.load(record, 96), first, last, nibble);
        high = stepBytes(high, v128.load(record, 112), first, last, nibble);
        low = i32x4.dot_i16x8_s(low, ones);
        high = i32x4.dot_i16x8_s(high, ones);
        if (left < group) {
          low = i32x4.add(low, v128.load(at, ROW_SUMS));
          high = i32x4.add(high, v128.load(at, ROW_SUMS + 16));
        }
        if (left > 32) {
          v128.store(at, low, ROW_SUMS);
          v128.store(at, high, ROW_SUMS + 16);
        } else {
          accumulate(at, record + 128, low, factor, half);
          accumulate(at + 16, record + 136, high, factor, half);
        }
        record += stride;
      }
      weight += 128;
      x += 144;
    }
    weight += 16;
  }
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

/** none8 and groups of 32 or more: 16 columns unrolled (longer bodies spill in Node 20). */
function pairs32(
  weight: usize, blocks: i32, groups: i32, group: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  const half = v128.load(MASKS, 32);
  const m0 = v128.load(MASKS, 48);
  const m1 = v128.load(MASKS, 64);
  const m2 = v128.load(MASKS, 80);
  const bytes = <usize>recordBytes(group, OFFSET_NONE8);
  const stride = <usize>groups * bytes;
  const codeBytes = (<usize>group) << 2;
  for (let g = 0; g < groups; g++) {
    const factor = pairsFactor(xScales, g);
    const start = i32x4.splat(load<i32>(xSums + ((<usize>g) << 2)) * -2048);
    let record = weight + <usize>g * bytes;
    for (let b = 0; b < blocks; b++) {
      const at = acc + ((<usize>b) << 5);
      let low = start;
      let high = start;
      let xp = x;
      let from = record;
      const end = record + codeBytes;
      while (from < end) {
        low = stepPairs(low, v128.load(from), xp, m0, m1, m2);
        high = stepPairs(high, v128.load(from, 16), xp, m0, m1, m2);
        low = stepPairs(low, v128.load(from, 32), xp + 64, m0, m1, m2);
        high = stepPairs(high, v128.load(from, 48), xp + 64, m0, m1, m2);
        from += 64;
        xp += 128;
      }
      accumulate(at, end, low, factor, half);
      accumulate(at + 16, end + 8, high, factor, half);
      record += stride;
    }
    x += codeBytes << 1;
  }
}

/** Any group and offset, one step at a time. */
// @ts-ignore: decorator
@inline
function pairs(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  const half = v128.load(MASKS, 32);
  const m0 = v128.load(MASKS, 48);
  const m1 = v128.load(MASKS, 64);
  const m2 = v128.load(MASKS, 80);
  const bytes = <usize>recordBytes(group, offset);
  const codeBytes = (<usize>group) << 2;
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
