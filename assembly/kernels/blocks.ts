// Weights in blocks as ggml stores them: one row of one chunk to signed byte codes with a scale (and an offset) for each
// 16 or 32 columns. Eight codes at a time in a u64, so that one source serves every build.
// Layouts: ggml-quants.c of llama.cpp. Products and sums are made in the order of its dequantizers: equal bits.

import { unpackQ2K, unpackQ3K, unpackQ4K, unpackQ5K, unpackQ6K } from "./blocks-k";
import { NIBBLES, ONES, half, minus } from "./words";

// Types, numbered as BLOCK_TYPE of src/backends/wasm/kernels.ts.
export const F16: i32 = 0;
export const BF16: i32 = 1;
const Q5_0: i32 = 2;
const Q5_1: i32 = 3;
const Q8_0: i32 = 4;
const Q2_K: i32 = 5;
const Q3_K: i32 = 6;
const Q4_K: i32 = 7;
const Q5_K: i32 = 8;
const Q6_K: i32 = 9;
const IQ4_NL: i32 = 10;
export const NF4: i32 = 11;
export const AFFINE4: i32 = 12;
export const AFFINE8: i32 = 13;
const ZERO4: i32 = 14;
export const ZERO8: i32 = 15;

/** Columns of a chunk: one block of the K types, eight of the others. */
export const CHUNK: i32 = 256;

/** Types that have no byte codes with scales a kernel could take apart: they are multiplied as f32. */
export function onlyFloats(type: i32): bool {
  return type <= BF16 || type >= NF4;
}

export function blockColumns(type: i32): i32 {
  if (type == NF4) return 64;
  return type <= BF16 ? 1 : type >= Q2_K && type <= Q6_K ? 256 : 32;
}

export function blockBytes(type: i32): i32 {
  switch (type) {
    case Q5_0: return 22;
    case Q5_1: return 24;
    case Q8_0: return 34;
    case Q2_K: return 84;
    case Q3_K: return 110;
    case Q4_K: return 144;
    case Q5_K: return 176;
    case Q6_K: return 210;
    case IQ4_NL: return 18;
    case NF4: return 36;
    case AFFINE4: return 24;
    case ZERO4: return 24;
    case AFFINE8: return 40;
    case ZERO8: return 40;
    default: return 2;
  }
}

/** Columns that share a scale. */
export function scaleColumns(type: i32): i32 {
  return type == Q2_K || type == Q3_K || type == Q6_K ? 16 : 32;
}

export function hasOffsets(type: i32): bool {
  return type == Q5_1 || type == Q2_K || type == Q4_K || type == Q5_K;
}

export function rowBytes(type: i32, cols: i32): usize {
  return <usize>(cols / blockColumns(type)) * <usize>blockBytes(type);
}

/** Bit i of eight bits as byte i, 0 or 16. */
// @ts-ignore: decorator
@inline
function fifthBits(bits: u32): u64 {
  const spread = (<u64>(bits & 255) * ONES) & 0x8040201008040201;
  return (((spread + 0x7f7f7f7f7f7f7f7f) >> 7) & ONES) << 4;
}

/**
 * `count` columns of a row (a multiple of the block's) to codes i8 [count]; scales and offsets f32, one every 16 bytes.
 * w = scale * code (+ offset). Not for f16 and bf16.
 */
export function unpackCodes(type: i32, from: usize, count: i32, codes: usize, scales: usize, offsets: usize): void {
  switch (type) {
    case Q2_K: return unpackQ2K(from, codes, scales, offsets);
    case Q3_K: return unpackQ3K(from, codes, scales);
    case Q4_K: return unpackQ4K(from, codes, scales, offsets);
    case Q5_K: return unpackQ5K(from, codes, scales, offsets);
    case Q6_K: return unpackQ6K(from, codes, scales);
    default: return unpackSmall(type, from, count, codes, scales, offsets);
  }
}

/** Types of 32 columns. */
function unpackSmall(type: i32, from: usize, count: i32, codes: usize, scales: usize, offsets: usize): void {
  const bytes = <usize>blockBytes(type);
  for (let c = 0; c < count; c += 32) {
    store<f32>(scales, half(from));
    if (type == Q8_0) {
      for (let i: usize = 0; i < 32; i += 8) store<u64>(codes + i, load<u64>(from + i, 2));
    } else if (type == IQ4_NL) {
      for (let i: usize = 0; i < 16; i++) {
        const byte = load<u8>(from + i, 2);
        store<u8>(codes + i, curve(byte & 15));
        store<u8>(codes + i, curve(byte >> 4), 16);
      }
    } else {
      const withOffset = type == Q5_1;
      const bits = load<u32>(from + (withOffset ? 4 : 2));
      const nibbles = from + (withOffset ? 8 : 6);
      if (withOffset) store<f32>(offsets, half(from + 2));
      for (let i = 0; i < 16; i += 8) {
        const pair = load<u64>(nibbles + i);
        const low = (pair & NIBBLES) | fifthBits(bits >> i);
        const high = ((pair >> 4) & NIBBLES) | fifthBits(bits >> (i + 16));
        store<u64>(codes + i, withOffset ? low : minus(low, 16));
        store<u64>(codes + i, withOffset ? high : minus(high, 16), 16);
      }
    }
    from += bytes;
    codes += 32;
    scales += 16;
    offsets += 16;
  }
}

/** The 16 values of IQ4_NL: -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113, as bytes of two words. */
// @ts-ignore: decorator
@inline
function curve(index: u32): u32 {
  const values: u64 = index < 8 ? 0xf6eaddcfbfad9881 : 0x7159453526190d01;
  return <u32>(values >> ((index & 7) << 3)) & 255;
}
