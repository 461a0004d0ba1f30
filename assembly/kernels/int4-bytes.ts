// int4 x int8 vector kernels of the relaxed builds: products of bytes (spreadBytes), summed in i16. Why
// blocks take turns: int4-i8.ts.

import { OFFSET_BIAS, OFFSET_ZERO_U4, recordBytes } from "./job";
import { MASKS, accumulate, addZeros } from "./int4-scales";
import { dotBytes } from "./lanes";

/** i32 sums of the eight blocks lie this far behind their float sums. */
const ROW_SUMS: usize = 256;

/** 2^112 undoes the tiny halves. */
// @ts-ignore: decorator
@inline
function bytesFactor(xScales: usize, g: i32): v128 {
  return f32x4.splat(load<f32>(xScales + ((<usize>g) << 2)) * reinterpret<f32>(0x77800000));
}

/** Adds eight columns of four rows to i16 sums. */
// @ts-ignore: decorator
@inline
function stepBytes(sum: v128, codes: v128, first: v128, last: v128, nibble: v128): v128 {
  sum = i16x8.add(sum, dotBytes(first, v128.and(codes, nibble)));
  return i16x8.add(sum, dotBytes(last, v128.and(i16x8.shr_u(codes, 4), nibble)));
}

/** Symmetric weights in groups of 32. */
export function bytes32(weight: usize, blocks: i32, groups: i32, x: usize, xScales: usize, acc: usize): void {
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

/**
 * Other groups and offsets in pieces of at most 32 columns, the i16 sums of one being emptied to i32 sums in memory (behind acc). The
 * streams take turns after each piece: with a whole group at a time the core would see only one or two of them.
 */
export function bytesWide(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  const nibble = v128.load(MASKS);
  const ones = v128.load(MASKS, 16);
  const half = v128.load(MASKS, 32);
  const piece = <usize>min(group, 32);
  const bytes = piece << 2;
  const metaBytes = <usize>recordBytes(group, offset) - (<usize>group << 2);
  const stride = <usize>groups * <usize>recordBytes(group, offset);
  const end = acc + ((<usize>blocks) << 5);
  for (let g = 0; g < groups; g++) {
    const factor = bytesFactor(xScales, g);
    const sum = load<i32>(xSums + ((<usize>g) << 2));
    for (let left = group; left > 0; left -= 32) {
      let record = weight;
      for (let at = acc; at < end; at += 32) {
        let low = v128.load(x);
        let high = low;
        let xp = x;
        const meta = record + bytes;
        for (let from = record; from < meta; from += 64) {
          let first = v128.load(xp, 16);
          let last = v128.load(xp, 32);
          low = stepBytes(low, v128.load(from), first, last, nibble);
          high = stepBytes(high, v128.load(from, 16), first, last, nibble);
          first = v128.load(xp, 48);
          last = v128.load(xp, 64);
          low = stepBytes(low, v128.load(from, 32), first, last, nibble);
          high = stepBytes(high, v128.load(from, 48), first, last, nibble);
          xp += 64;
        }
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
          if (offset == OFFSET_ZERO_U4) {
            const zeros = v128.load8x8_u(meta, 16);
            low = addZeros(low, i32x4.extend_low_i16x8_u(zeros), i32x4.splat(-sum));
            high = addZeros(high, i32x4.extend_high_i16x8_u(zeros), i32x4.splat(-sum));
          }
          accumulate(at, meta, low, factor, half);
          accumulate(at + 16, meta + 8, high, factor, half);
          if (offset == OFFSET_BIAS) {
            accumulate(at, meta + 16, i32x4.splat(sum), factor, half);
            accumulate(at + 16, meta + 24, i32x4.splat(sum), factor, half);
          }
        }
        record += stride;
      }
      weight += bytes;
      x += bytes + 16;
    }
    weight += metaBytes;
  }
}
