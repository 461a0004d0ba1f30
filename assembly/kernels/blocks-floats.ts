// Weights in blocks to f32, bit for bit as ggml's dequantizers give them, and a look at whether all of them are finite.

import { BF16, CHUNK, F16, hasOffsets, onlyFloats, rowBytes, scaleColumns, unpackCodes } from "./blocks";
import { expandGroups, finiteGroups } from "./blocks-groups";
import { fromHalf } from "./half";
import { SIMD } from "./lanes";

/** At most 256 columns of a row to f32 at `out`; codes i8 [256], scales and offsets one every 16 bytes are scratch. */
export function expandRow(
  type: i32, from: usize, count: i32, out: usize, codes: usize, scales: usize, offsets: usize,
): void {
  if (type <= BF16) return expandHalves(type, from, count, out);
  if (onlyFloats(type)) return expandGroups(type, from, count, out);
  unpackCodes(type, from, count, codes, scales, offsets);
  const per = scaleColumns(type);
  const moved = hasOffsets(type);
  for (let c = 0; c < count; c += per) {
    const scale = load<f32>(scales);
    const offset: f32 = moved ? load<f32>(offsets) : 0;
    for (let i = c; i < c + per; i += SIMD ? 4 : 1) {
      const to = out + (<usize>i << 2);
      if (SIMD) {
        const four = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(codes + i))));
        const value = f32x4.mul(f32x4.splat(scale), four);
        v128.store(to, moved ? f32x4.add(value, f32x4.splat(offset)) : value);
      } else {
        const value = scale * <f32>load<i8>(codes + i);
        store<f32>(to, moved ? value + offset : value);
      }
    }
    scales += 16;
    offsets += 16;
  }
}

function expandHalves(type: i32, from: usize, count: i32, out: usize): void {
  let c = 0;
  if (SIMD) {
    // A half's exponent and mantissa read as a tiny f32, times 2^112; finite numbers only, the loader sees to that.
    const magnitude = i32x4.splat(0x0fffe000);
    const sign = i32x4.splat(0x80000000);
    const factor = i32x4.splat(0x77800000);
    for (; c + 4 <= count; c += 4) {
      const words = v128.load16x4_s(from + (<usize>c << 1));
      const shifted = i32x4.shl(words, 13);
      const value =
        type == F16
          ? v128.or(f32x4.mul(v128.and(shifted, magnitude), factor), v128.and(words, sign))
          : i32x4.shl(words, 16);
      v128.store(out + (<usize>c << 2), value);
    }
  }
  for (; c < count; c++) {
    const word = <u32>load<u16>(from + (<usize>c << 1));
    store<f32>(out + (<usize>c << 2), type == F16 ? fromHalf(word) : reinterpret<f32>(word << 16));
  }
}

/** Index of the first of `rows` rows with a number or scale that is not finite, or -1. */
export function firstBadRow(type: i32, from: usize, rows: i32, cols: i32, scratch: usize): i32 {
  const bytes = rowBytes(type, cols);
  for (let row = 0; row < rows; row++) {
    const at = from + <usize>row * bytes;
    const finite =
      type <= BF16 ? finiteWords(type, at, cols)
      : onlyFloats(type) ? finiteGroups(type, at, cols)
      : finiteScales(type, at, cols, scratch);
    if (!finite) return row;
  }
  return -1;
}

function finiteWords(type: i32, from: usize, count: i32): bool {
  const mask: u32 = type == F16 ? 0x7c00 : 0x7f80;
  let c = 0;
  if (SIMD) {
    const masks = i16x8.splat(<i16>mask);
    let bad = i16x8.splat(0);
    for (; c + 8 <= count; c += 8) {
      bad = v128.or(bad, i16x8.eq(v128.and(v128.load(from + (<usize>c << 1)), masks), masks));
    }
    if (v128.any_true(bad)) return false;
  }
  for (; c < count; c++) if ((load<u16>(from + (<usize>c << 1)) & mask) == mask) return false;
  return true;
}

function finiteScales(type: i32, from: usize, cols: i32, scratch: usize): bool {
  const scales = scratch + CHUNK;
  const offsets = scales + 256;
  for (let column = 0; column < cols; column += CHUNK) {
    const count = min(CHUNK, cols - column);
    unpackCodes(type, from + rowBytes(type, column), count, scratch, scales, offsets);
    for (let g: usize = 0; g < <usize>(count / scaleColumns(type)); g++) {
      if (!isFinite(load<f32>(scales + (g << 4)))) return false;
      if (hasOffsets(type) && !isFinite(load<f32>(offsets + (g << 4)))) return false;
    }
  }
  return true;
}
