// Keys and values in int8: codes [kvHeads][capacity][headDim] and one f16 scale a head and position [kvHeads][capacity], so
// that a head's positions are one linear stream. A code is nearest(x / scale), scale = half(largest magnitude / 127).

import { fromHalf, toHalf } from "./half";
import { SIMD, madd, sumLanes } from "./lanes";
import { largestMagnitude } from "./quantize";

// @ts-ignore: decorator
@inline
export function kvScale(scales: usize, row: usize): f32 {
  return fromHalf(load<u16>(scales + (row << 1)));
}

/** x f32 [rows, kvHeads * headDim] to positions start.. of a cache. */
export function storeInt8(
  x: usize, rows: i32, kvHeads: i32, headDim: i32, start: i32, capacity: i32, codes: usize, scales: usize,
): void {
  for (let r = 0; r < rows; r++) {
    for (let head = 0; head < kvHeads; head++) {
      const row = <usize>head * <usize>capacity + <usize>(start + r);
      const half = toHalf(largestMagnitude(x, headDim) / 127);
      const scale = fromHalf(half);
      store<u16>(scales + (row << 1), <u16>half);
      roundRow(x, headDim, scale > 0 ? 1 / scale : 0, codes + row * <usize>headDim);
      x += <usize>headDim << 2;
    }
  }
}

/** Codes saturate: a scale that was rounded down would need 128. */
function roundRow(x: usize, count: i32, inverse: f32, codes: usize): void {
  let i = 0;
  if (SIMD) {
    const factor = f32x4.splat(inverse);
    for (; i + 8 <= count; i += 8) {
      const at = x + (<usize>i << 2);
      const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), factor)));
      const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at, 16), factor)));
      const words = i16x8.narrow_i32x4_s(low, high);
      v128.store64_lane(codes + i, i8x16.narrow_i16x8_s(words, words), 0);
    }
  }
  for (; i < count; i++) {
    const code = i32(nearest(load<f32>(x + (<usize>i << 2)) * inverse));
    store<i8>(codes + i, max(-128, min(127, code)));
  }
}

/** Codes of a row times its scale; out: eight floats, the next eight `step` bytes on. Rows are multiples of eight. */
export function int8Row(codes: usize, scale: f32, count: i32, out: usize, step: usize): void {
  const factor = f32x4.splat(scale);
  for (let i = 0; i < count; i += 8) {
    const words = v128.load8x8_s(codes + i);
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)), factor));
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), factor), 16);
    out += step;
  }
}

/** scores[c] = scale * q . k[c] over the codes of `seen` positions. */
export function scoreInt8(q: usize, codes: usize, scales: usize, row: usize, seen: i32, width: i32, scale: f32, scores: usize): void {
  codes += row * <usize>width;
  for (let c = 0; c < seen; c++) {
    store<f32>(scores + (<usize>c << 2), dotInt8(q, codes, width) * (kvScale(scales, row + c) * scale));
    codes += width;
  }
}

function dotInt8(x: usize, codes: usize, count: i32): f32 {
  let i = 0;
  let sum: f32 = 0;
  if (SIMD) {
    let first = f32x4.splat(0);
    let second = first;
    for (; i + 8 <= count; i += 8) {
      const words = v128.load8x8_s(codes + i);
      first = madd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)), v128.load(x), first);
      second = madd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), v128.load(x, 16), second);
      x += 32;
    }
    sum = sumLanes(f32x4.add(first, second));
  }
  for (; i < count; i++) {
    sum += load<f32>(x) * <f32>load<i8>(codes + i);
    x += 4;
  }
  return sum;
}

/** out[width] = scale * sum of shares[c] * v[c]; the shares are multiplied with the positions' scales on the way. */
export function mixInt8(shares: usize, scale: f32, codes: usize, scales: usize, row: usize, seen: i32, out: usize, width: i32): void {
  codes += row * <usize>width;
  for (let c = 0; c < seen; c++) {
    const at = shares + (<usize>c << 2);
    store<f32>(at, load<f32>(at) * kvScale(scales, row + c));
  }
  const end = shares + (<usize>seen << 2);
  let i = 0;
  if (SIMD) {
    for (; i + 8 <= width; i += 8) {
      let low = f32x4.splat(0);
      let high = low;
      let from = codes + i;
      for (let at = shares; at < end; at += 4) {
        const share = v128.load32_splat(at);
        const words = v128.load8x8_s(from);
        low = madd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)), share, low);
        high = madd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), share, high);
        from += width;
      }
      const to = out + (<usize>i << 2);
      v128.store(to, f32x4.mul(low, f32x4.splat(scale)));
      v128.store(to, f32x4.mul(high, f32x4.splat(scale)), 16);
    }
  }
  for (; i < width; i++) {
    let sum: f32 = 0;
    let from = codes + i;
    for (let at = shares; at < end; at += 4) {
      sum += load<f32>(at) * <f32>load<i8>(from);
      from += width;
    }
    store<f32>(out + (<usize>i << 2), sum * scale);
  }
}
