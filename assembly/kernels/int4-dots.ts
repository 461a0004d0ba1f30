// int4 x int8 vector kernels of relaxed builds on machines with one instruction for four products and their sum (FUSED in
// lanes.ts). Sums are i32 from the start, so nothing is emptied on the way. High nibbles stay in place,
// as bytes up to 240: their sums are 16 times too large and exact. Activations: spreadWords. Why blocks take turns: int4-i8.ts.

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { MASKS, accumulate, addZeros } from "./int4-scales";
import { dotWords } from "./lanes";

/** i32 sums of the eight blocks lie this far behind their float sums. */
const ROW_SUMS: usize = 256;

/** 2^112 undoes the tiny halves. */
// @ts-ignore: decorator
@inline
function factorOf(xScales: usize, g: i32): v128 {
  return f32x4.splat(load<f32>(xScales + ((<usize>g) << 2)) * reinterpret<f32>(0x77800000));
}

/** Symmetric weights in groups of 32. */
export function dots32(weight: usize, blocks: i32, groups: i32, x: usize, xScales: usize, xSums: usize, acc: usize): void {
  const nibble = v128.load(MASKS);
  const upper = v128.load(MASKS, 96);
  const half = v128.load(MASKS, 32);
  const none = i32x4.splat(0);
  const stride = <usize>groups * 144;
  const end = acc + ((<usize>blocks) << 5);
  for (let g = 0; g < groups; g++) {
    const factor = factorOf(xScales, g);
    const start = i32x4.splat(load<i32>(xSums + ((<usize>g) << 2)) * -8);
    let record = weight;
    for (let at = acc; at < end; at += 32) {
      let codes = v128.load(record);
      let first = v128.load(x);
      let last = v128.load(x, 16);
      let low = dotWords(first, v128.and(codes, nibble), start);
      let low16 = dotWords(last, v128.and(codes, upper), none);
      codes = v128.load(record, 16);
      let high = dotWords(first, v128.and(codes, nibble), start);
      let high16 = dotWords(last, v128.and(codes, upper), none);
      codes = v128.load(record, 32);
      first = v128.load(x, 32);
      last = v128.load(x, 48);
      low = dotWords(first, v128.and(codes, nibble), low);
      low16 = dotWords(last, v128.and(codes, upper), low16);
      codes = v128.load(record, 48);
      high = dotWords(first, v128.and(codes, nibble), high);
      high16 = dotWords(last, v128.and(codes, upper), high16);
      codes = v128.load(record, 64);
      first = v128.load(x, 64);
      last = v128.load(x, 80);
      low = dotWords(first, v128.and(codes, nibble), low);
      low16 = dotWords(last, v128.and(codes, upper), low16);
      codes = v128.load(record, 80);
      high = dotWords(first, v128.and(codes, nibble), high);
      high16 = dotWords(last, v128.and(codes, upper), high16);
      codes = v128.load(record, 96);
      first = v128.load(x, 96);
      last = v128.load(x, 112);
      low = dotWords(first, v128.and(codes, nibble), low);
      low16 = dotWords(last, v128.and(codes, upper), low16);
      codes = v128.load(record, 112);
      high = dotWords(first, v128.and(codes, nibble), high);
      high16 = dotWords(last, v128.and(codes, upper), high16);
      accumulate(at, record + 128, i32x4.add(low, i32x4.shr_s(low16, 4)), factor, half);
      accumulate(at + 16, record + 136, i32x4.add(high, i32x4.shr_s(high16, 4)), factor, half);
      record += stride;
    }
    weight += 144;
    x += 128;
  }
}

/**
 * Any group and offset in pieces of at most 32 columns: the streams take turns after each piece (with a whole group at a time the core
 * would see only one or two of them), sums of unfinished groups wait in memory behind acc.
 */
export function dots(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  const nibble = v128.load(MASKS);
  const upper = v128.load(MASKS, 96);
  const half = v128.load(MASKS, 32);
  const none = i32x4.splat(0);
  const wide = group > 16;
  const bytes: usize = wide ? 128 : 64;
  const meta = <usize>recordBytes(group, offset) - (<usize>group << 2);
  const stride = <usize>groups * <usize>recordBytes(group, offset);
  const end = acc + ((<usize>blocks) << 5);
  for (let g = 0; g < groups; g++) {
    const factor = factorOf(xScales, g);
    const sum = load<i32>(xSums + ((<usize>g) << 2));
    const start = i32x4.splat(offset == OFFSET_NONE8 ? sum * -8 : 0);
    for (let left = group; left > 0; left -= 32) {
      let record = weight;
      for (let at = acc; at < end; at += 32) {
        let begun = start;
        let begun2 = start;
        if (left < group) {
          begun = v128.load(at, ROW_SUMS);
          begun2 = v128.load(at, ROW_SUMS + 16);
        }
        let codes = v128.load(record);
        let first = v128.load(x);
        let last = v128.load(x, 16);
        let low = dotWords(first, v128.and(codes, nibble), begun);
        let low16 = dotWords(last, v128.and(codes, upper), none);
        codes = v128.load(record, 16);
        let high = dotWords(first, v128.and(codes, nibble), begun2);
        let high16 = dotWords(last, v128.and(codes, upper), none);
        codes = v128.load(record, 32);
        first = v128.load(x, 32);
        last = v128.load(x, 48);
        low = dotWords(first, v128.and(codes, nibble), low);
        low16 = dotWords(last, v128.and(codes, upper), low16);
        codes = v128.load(record, 48);
        high = dotWords(first, v128.and(codes, nibble), high);
        high16 = dotWords(last, v128.and(codes, upper), high16);
        if (wide) {
          codes = v128.load(record, 64);
          first = v128.load(x, 64);
          last = v128.load(x, 80);
          low = dotWords(first, v128.and(codes, nibble), low);
          low16 = dotWords(last, v128.and(codes, upper), low16);
          codes = v128.load(record, 80);
          high = dotWords(first, v128.and(codes, nibble), high);
          high16 = dotWords(last, v128.and(codes, upper), high16);
          codes = v128.load(record, 96);
          first = v128.load(x, 96);
          last = v128.load(x, 112);
          low = dotWords(first, v128.and(codes, nibble), low);
          low16 = dotWords(last, v128.and(codes, upper), low16);
          codes = v128.load(record, 112);
          high = dotWords(first, v128.and(codes, nibble), high);
          high16 = dotWords(last, v128.and(codes, upper), high16);
        }
        low = i32x4.add(low, i32x4.shr_s(low16, 4));
        high = i32x4.add(high, i32x4.shr_s(high16, 4));
        if (left > 32) {
          v128.store(at, low, ROW_SUMS);
          v128.store(at, high, ROW_SUMS + 16);
        } else {
          if (offset == OFFSET_ZERO_U4) {
            const zeros = v128.load8x8_u(record + bytes, 16);
            low = addZeros(low, i32x4.extend_low_i16x8_u(zeros), i32x4.splat(-sum));
            high = addZeros(high, i32x4.extend_high_i16x8_u(zeros), i32x4.splat(-sum));
          }
          accumulate(at, record + bytes, low, factor, half);
          accumulate(at + 16, record + bytes + 8, high, factor, half);
          if (offset == OFFSET_BIAS) {
            accumulate(at, record + bytes + 16, i32x4.splat(sum), factor, half);
            accumulate(at + 16, record + bytes + 24, i32x4.splat(sum), factor, half);
          }
        }
        record += stride;
      }
      weight += bytes;
      x += bytes;
    }
    weight += meta;
  }
}
