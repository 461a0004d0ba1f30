// Rounding of groups along the inputs, w' = scale * (q - zero), and what codes stand for.
// Modes: 0 the range min..max (AWQ); 1 the range with 0 in it (GPTQ, ONNX Runtime); 2 symmetric, max|w| / (2^(b-1) - 1) (AWQ);
// 3 symmetric, 2 max|w| / (2^b - 1), or half of that where no w is negative (GPTQ). Rounding is half to even.

import { fromHalf, toHalf } from "../kernels/half";
import { SIMD } from "../kernels/lanes";
import { at4, ceilDiv } from "./task";

export const RANGE: i32 = 0;
export const RANGE_ZERO: i32 = 1;
export const SYMMETRIC: i32 = 2;
export const SYMMETRIC_WIDE: i32 = 3;

// What `setGroup` found last; of this instance.
let scale: f32 = 1;
/** The scale before it was rounded to f32: a largest value at 7.5 steps must not fall to either side by chance. */
let fine: f64 = 1;
let zero: f32 = 0;
let top: f32 = 15;
let least: f32 = 0;
let most: f32 = 0;

export function groupScale(): f32 {
  return scale;
}

export function groupZero(): f32 {
  return zero;
}

/** Smallest and largest of w[c] * s[c] (s = 0: of w), with stride 1. */
function extent(w: usize, s: usize, count: i32): void {
  let low: f32 = f32.MAX_VALUE;
  let high: f32 = -f32.MAX_VALUE;
  let c = 0;
  if (SIMD) {
    if (count >= 4) {
      let lows = f32x4.splat(low);
      let highs = f32x4.splat(high);
      for (; c + 4 <= count; c += 4) {
        let v = v128.load(at4(w, c));
        if (s) v = f32x4.mul(v, v128.load(at4(s, c)));
        lows = f32x4.min(lows, v);
        highs = f32x4.max(highs, v);
      }
      lows = f32x4.min(lows, v128.shuffle<f32>(lows, lows, 2, 3, 0, 1));
      highs = f32x4.max(highs, v128.shuffle<f32>(highs, highs, 2, 3, 0, 1));
      low = min(f32x4.extract_lane(lows, 0), f32x4.extract_lane(lows, 1));
      high = max(f32x4.extract_lane(highs, 0), f32x4.extract_lane(highs, 1));
    }
  }
  for (; c < count; c++) {
    const v = load<f32>(at4(w, c)) * (s ? load<f32>(at4(s, c)) : <f32>1);
    low = min(low, v);
    high = max(high, v);
  }
  least = low;
  most = high;
}

/** Scale and zero point of a group. @param half round the scale to binary16, as files store it */
export function setGroup(w: usize, s: usize, count: i32, bits: i32, mode: i32, half: bool): void {
  extent(w, s, count);
  setRange(least, most, bits, mode, half);
}

/** The same from a known range. */
export function setRange(low: f32, high: f32, bits: i32, mode: i32, half: bool): void {
  top = <f32>((1 << bits) - 1);
  if (mode == RANGE_ZERO) {
    low = min(low, <f32>0);
    high = max(high, <f32>0);
  }
  const peak = max(abs(low), abs(high));
  if (mode == SYMMETRIC) fine = <f64>max(peak, <f32>1e-5) / <f64>((1 << (bits - 1)) - 1);
  else if (mode == SYMMETRIC_WIDE) fine = <f64>max(low < 0 ? <f32>2 * peak : peak, <f32>1e-5) / <f64>top;
  else fine = max(<f64>high - <f64>low, 1e-5) / <f64>top;
  scale = <f32>fine;
  if (half) {
    scale = fromHalf(toHalf(scale));
    // A group so small that a half cannot tell its scale from 0.
    if (scale == 0) scale = fromHalf(1);
    fine = <f64>scale;
  }
  if (mode == SYMMETRIC || mode == SYMMETRIC_WIDE) zero = <f32>(1 << (bits - 1));
  else zero = max(<f32>0, min(top, -nearest(low / scale)));
}

/** Uses a scale and a zero point that are known. */
export function setScale(known: f32, at: f32, bits: i32): void {
  scale = known;
  fine = <f64>known;
  zero = at;
  top = <f32>((1 << bits) - 1);
}

/** Code of one value in the group that was set last. */
// @ts-ignore: decorator
@inline
export function codeOf(value: f32): f32 {
  return max(<f32>0, min(top, <f32>nearest(<f64>value / fine) + zero));
}

// @ts-ignore: decorator
@inline
export function valueOf(value: f32): f32 {
  return (codeOf(value) - zero) * scale;
}

/**
 * out[c] = rounded(w[c] * s[c]) / s[c] (s = 0: rounded(w[c])), with values clamped to +-limit first where limit > 0.
 * The group's scale and zero are left for `groupScale`. All loops take four lanes at a time where there are any.
 */
export function fakeGroup(
  w: usize, s: usize, count: i32, bits: i32, mode: i32, half: bool, limit: f32, out: usize,
): void {
  extent(w, s, count);
  const bound = limit > 0 ? limit : f32.MAX_VALUE;
  setRange(max(least, -bound), min(most, bound), bits, mode, half);
  let c = 0;
  if (SIMD) {
    const scales = f32x4.splat(scale);
    const zeros = f32x4.splat(zero);
    const tops = f32x4.splat(top);
    const none = f32x4.splat(0);
    const bounds = f32x4.splat(bound);
    const under = f32x4.splat(-bound);
    for (; c + 4 <= count; c += 4) {
      let v = v128.load(at4(w, c));
      if (s) v = f32x4.mul(v, v128.load(at4(s, c)));
      v = f32x4.max(under, f32x4.min(bounds, v));
      v = f32x4.add(f32x4.nearest(f32x4.div(v, scales)), zeros);
      v = f32x4.mul(f32x4.sub(f32x4.max(none, f32x4.min(tops, v)), zeros), scales);
      if (s) v = f32x4.div(v, v128.load(at4(s, c)));
      v128.store(at4(out, c), v);
    }
  }
  for (; c < count; c++) {
    const factor = s ? load<f32>(at4(s, c)) : <f32>1;
    const v = valueOf(max(-bound, min(bound, load<f32>(at4(w, c)) * factor)));
    store<f32>(at4(out, c), s ? v / factor : v);
  }
}

/** One row in groups, see `fakeGroup`. */
export function fakeRow(
  w: usize, s: usize, cols: i32, group: i32, bits: i32, mode: i32, half: bool, out: usize,
): void {
  for (let c = 0; c < cols; c += group) {
    const from = s ? at4(s, c) : 0;
    fakeGroup(at4(w, c), from, min(group, cols - c), bits, mode, half, 0, at4(out, c));
  }
}

/** values f32 [rows, cols] that codes stand for. */
export function dequantize(
  codes: usize, scales: usize, zeros: usize, rows: i32, cols: i32, group: i32, out: usize,
): void {
  const groups = ceilDiv(cols, group);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const index = <usize>r * <usize>groups + <usize>(c / group);
      const at = <usize>r * <usize>cols + <usize>c;
      const code = <f32>(<i32>load<u8>(codes + at) - <i32>load<u8>(zeros + index));
      store<f32>(at4(out, at), code * load<f32>(at4(scales, index)));
    }
  }
}

/** Words of eight codes, first one low: [rows, cols / 8]; and f16 bits of scales. */
export function packCodes(codes: usize, count: usize, words: usize): void {
  for (let i: usize = 0; i < count; i += 8) {
    let word: u32 = 0;
    for (let j: usize = 0; j < 8; j++) word |= (<u32>load<u8>(codes + i + j) & 15) << (<u32>j << 2);
    store<u32>(words + (i >> 1), word);
  }
}

export function halves(from: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) store<u16>(out + (i << 1), toHalf(load<f32>(at4(from, i))));
}

/** f16 bits of -scale * zero. */
export function offsets(scales: usize, zeros: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) {
    store<u16>(out + (i << 1), toHalf(-load<f32>(at4(scales, i)) * <f32>load<u8>(zeros + i)));
  }
}
