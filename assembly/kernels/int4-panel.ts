// One block of eight int4 rows ("r8" layout) unpacked to a panel that several tokens share. Panels have lane = row:
// floats [k][8], pairs (i16) [k / 2][8][2], bytes [k / 4][8][4].

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { dotWords } from "./lanes";

const NIBBLE: usize = memory.data<u32>([0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f]);
const ONES: usize = memory.data<u32>([0x01010101, 0x01010101, 0x01010101, 0x01010101]);

/** Four f16 as f32. */
// @ts-ignore: decorator
@inline
function halves(at: usize): v128 {
  const tiny = v128.and(i32x4.shl(v128.load16x4_s(at), 13), i32x4.splat(0x8fffe000));
  return f32x4.mul(tiny, i32x4.splat(0x77800000));
}

/** Scales of `groups` records to f32 [groups][8], and with `bias` their offsets to the same shape. */
export function unpackScales(record: usize, groups: i32, group: i32, offset: i32, scales: usize, biases: usize): void {
  const bytes = <usize>recordBytes(group, offset);
  for (let g = 0; g < groups; g++) {
    const meta = record + (<usize>group << 2);
    v128.store(scales, halves(meta));
    v128.store(scales, halves(meta + 8), 16);
    scales += 32;
    if (offset == OFFSET_BIAS) {
      v128.store(biases, halves(meta + 16));
      v128.store(biases, halves(meta + 24), 16);
      biases += 32;
    }
    record += bytes;
  }
}

/** Weights of `groups` records as f32 [groups * group][8]. */
export function unpackFloats(record: usize, groups: i32, group: i32, offset: i32, panel: usize): void {
  const bytes = <usize>recordBytes(group, offset);
  for (let g = 0; g < groups; g++) {
    const meta = record + (<usize>group << 2);
    for (let half = 0; half < 2; half++) {
      const scale = halves(meta + (half << 3));
      let zero = i32x4.splat(offset == OFFSET_NONE8 ? 8 : 0);
      if (offset == OFFSET_ZERO_U4) {
        zero = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(meta + 16 + (half << 2))));
      }
      let bias = f32x4.splat(0);
      if (offset == OFFSET_BIAS) bias = halves(meta + 16 + (half << 3));
      let to = panel + (half << 4);
      for (let from = record + (half << 4); from < meta; from += 32) {
        let codes = v128.load(from);
        for (let p = 0; p < 8; p++) {
          const value = f32x4.convert_i32x4_s(i32x4.sub(v128.and(codes, i32x4.splat(15)), zero));
          const column = (p >> 1) + ((p & 1) << 2);
          v128.store(to + (<usize>column << 5), f32x4.add(f32x4.mul(value, scale), bias));
          codes = i32x4.shr_u(codes, 4);
        }
        to += 256;
      }
    }
    panel += <usize>group << 5;
    record += bytes;
  }
}

/** Codes less zero points of `groups` records as i16 pairs; offsets (bias) are left to the caller. */
export function unpackPairs(record: usize, groups: i32, group: i32, offset: i32, panel: usize): void {
  const bytes = <usize>recordBytes(group, offset);
  const nibble = v128.load(NIBBLE);
  for (let g = 0; g < groups; g++) {
    const meta = record + (<usize>group << 2);
    for (let half = 0; half < 2; half++) {
      let zero = i16x8.splat(offset == OFFSET_NONE8 ? 8 : 0);
      if (offset == OFFSET_ZERO_U4) {
        const four = i16x8.extend_low_i8x16_u(v128.load32_zero(meta + 16 + (half << 2)));
        zero = v128.shuffle<i16>(four, four, 0, 0, 1, 1, 2, 2, 3, 3);
      }
      let to = panel + (half << 4);
      for (let from = record + (half << 4); from < meta; from += 32) {
        const codes = v128.load(from);
        storePairs(to, v128.and(codes, nibble), zero);
        storePairs(to + 64, v128.and(i16x8.shr_u(codes, 4), nibble), zero);
        to += 128;
      }
    }
    panel += <usize>group << 4;
    record += bytes;
  }
}

/** Bytes [4 rows][4 columns] to two vectors of i16 pairs, 32 bytes apart. */
// @ts-ignore: decorator
@inline
function storePairs(to: usize, bytes: v128, zero: v128): void {
  const low = i16x8.extend_low_i8x16_u(bytes);
  const high = i16x8.extend_high_i8x16_u(bytes);
  v128.store(to, i16x8.sub(v128.shuffle<i32>(low, high, 0, 2, 4, 6), zero));
  v128.store(to, i16x8.sub(v128.shuffle<i32>(low, high, 1, 3, 5, 7), zero), 32);
}

/** Plain codes 0..15 of `groups` none8 records as bytes. */
export function unpackBytes(record: usize, groups: i32, group: i32, panel: usize): void {
  const bytes = <usize>recordBytes(group, OFFSET_NONE8);
  const nibble = v128.load(NIBBLE);
  for (let g = 0; g < groups; g++) {
    const end = record + (<usize>group << 2);
    for (let from = record; from < end; from += 32) {
      const upper = v128.load(from);
      const lower = v128.load(from, 16);
      v128.store(panel, v128.and(upper, nibble));
      v128.store(panel, v128.and(lower, nibble), 16);
      v128.store(panel, v128.and(i16x8.shr_u(upper, 4), nibble), 32);
      v128.store(panel, v128.and(i16x8.shr_u(lower, 4), nibble), 48);
      panel += 64;
    }
    record += bytes;
  }
}

/**
 * Codes less zero points of `groups` records as signed bytes, for tiles-dots.ts; offsets (bias) are left to the caller. starts: i32
 * [columns / piece][8], -shift times the sum of each row's piece: what activations that are larger by `shift` give too much.
 */
export function unpackSigned(
  record: usize, groups: i32, group: i32, offset: i32, piece: i32, shift: i32, panel: usize, starts: usize,
): void {
  const bytes = <usize>recordBytes(group, offset);
  const pieceBytes = <usize>piece << 2;
  const nibble = v128.load(NIBBLE);
  const ones = v128.load(ONES);
  const factor = i32x4.splat(-shift);
  for (let g = 0; g < groups; g++) {
    const meta = record + (<usize>group << 2);
    let upperZero = i8x16.splat(offset == OFFSET_NONE8 ? 8 : 0);
    let lowerZero = upperZero;
    if (offset == OFFSET_ZERO_U4) {
      const zeros = v128.load64_zero(meta, 16);
      upperZero = v128.shuffle<i8>(zeros, zeros, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
      lowerZero = v128.shuffle<i8>(zeros, zeros, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
    }
    for (let from = record; from < meta; ) {
      let upperSum = i32x4.splat(0);
      let lowerSum = upperSum;
      for (const end = from + pieceBytes; from < end; from += 32) {
        const upper = v128.load(from);
        const lower = v128.load(from, 16);
        let a = i8x16.sub(v128.and(upper, nibble), upperZero);
        let b = i8x16.sub(v128.and(lower, nibble), lowerZero);
        upperSum = dotWords(a, ones, upperSum);
        lowerSum = dotWords(b, ones, lowerSum);
        v128.store(panel, a);
        v128.store(panel, b, 16);
        a = i8x16.sub(v128.and(i16x8.shr_u(upper, 4), nibble), upperZero);
        b = i8x16.sub(v128.and(i16x8.shr_u(lower, 4), nibble), lowerZero);
        upperSum = dotWords(a, ones, upperSum);
        lowerSum = dotWords(b, ones, lowerSum);
        v128.store(panel, a, 32);
        v128.store(panel, b, 48);
        panel += 64;
      }
      v128.store(starts, i32x4.mul(upperSum, factor));
      v128.store(starts, i32x4.mul(lowerSum, factor), 16);
      starts += 32;
    }
    record += bytes;
  }
}
