// f32 activations as planes of bytes: x = scale * (65536 x2 + 256 x1 + x0), one scale a group, the largest magnitude / 8355600
// (nearly all three bytes at 127), so that the error is half a unit of 8355600 of a group's largest value. Codes that are not
// symmetric may be 15 instead of 8: half as many units, so that sums of 32 products still fit i32.

import { OFFSET_NONE8, OFFSET_ZERO_U4, ceilDiv } from "./job";
import { largestMagnitude, largestOfGroup } from "./quantize";
import { PLANES_SHIFT } from "./tiles-dots";

/** A little below 127 * 65793, so that no product with its inverse rounds beyond. */
const LARGEST: f32 = 8355600;
const LARGEST_WIDE: f32 = 4456000;
/** Below, the inverse is infinite: such groups count as zeros. */
const SMALLEST: f32 = 1e-30;

/** 24-bit integers of columns first.. of a group as i32 [count], zeros past the row's end; gives their scale. */
function roundGroup(x: usize, count: i32, group: i32, offset: i32, out: usize): f32 {
  const units = offset == OFFSET_NONE8 ? LARGEST : LARGEST_WIDE;
  const largest = count == group ? largestOfGroup(x, group) : largestMagnitude(x, count);
  const inverse: f32 = largest > SMALLEST ? units / largest : 0;
  const factor = f32x4.splat(inverse);
  let c = 0;
  for (; c + 4 <= count; c += 4) {
    const at = <usize>c << 2;
    v128.store(out + at, i32x4.relaxed_trunc_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x + at), factor))));
  }
  for (; c < count; c++) store<i32>(out + (c << 2), i32(nearest(load<f32>(x + (c << 2)) * inverse)));
  if (count < group) memory.fill(out + (<usize>count << 2), 0, <usize>(group - count) << 2);
  return largest / units;
}

/** The low bytes of four integers, in each lane. */
// @ts-ignore: decorator
@inline
function lowBytes(values: v128): v128 {
  return v128.shuffle<i8>(values, values, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
}

// @ts-ignore: decorator
@inline
function sumOf(lanes: v128): i32 {
  lanes = i32x4.add(lanes, v128.shuffle<i32>(lanes, lanes, 2, 3, 0, 1));
  return i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1);
}

/**
 * One row for int4PlanesVector; numbers: scratch i32 [group]; scales f32 [groups], times 2^112 (which undoes tiny halves) over the
 * power of two that is returned: near the largest scale, so that none becomes infinite.
 */
export function spreadPlanes(
  x: usize, cols: i32, group: i32, offset: i32, out: usize, scales: usize, numbers: usize,
): f32 {
  const groups = ceilDiv(cols, group);
  // What a zero point, or with an offset the group, adds to each row.
  const factor = offset == OFFSET_NONE8 ? -8 : offset == OFFSET_ZERO_U4 ? -1 : 1;
  const piece = min(group, 32);
  const round = i32x4.splat(128);
  for (let g = 0; g < groups; g++) {
    const first = g * group;
    const from = x + (<usize>first << 2);
    store<f32>(scales + (<usize>g << 2), roundGroup(from, min(group, cols - first), group, offset, numbers));
    for (let p = 0; p < group; p += piece) {
      const start = out;
      let sum = i32x4.splat(0);
      out += 16;
      for (let c = p; c < p + piece; c += 4) {
        const values = v128.load(numbers + (<usize>c << 2));
        sum = i32x4.add(sum, values);
        // Adding 128 carries what a signed byte cannot hold into the next plane.
        const upper = i32x4.shr_s(i32x4.add(values, round), 8);
        v128.store(out, lowBytes(values));
        v128.store(out, lowBytes(upper), 16);
        v128.store(out, lowBytes(i32x4.shr_s(i32x4.add(upper, round), 8)), 32);
        out += 48;
      }
      v128.store(start, i32x4.splat(factor * sumOf(sum)));
    }
  }
  const unit = powerBelow(largestMagnitude(scales, groups));
  for (const end = scales + (<usize>groups << 2); scales < end; scales += 4) {
    store<f32>(scales, (load<f32>(scales) / unit) * reinterpret<f32>(0x77800000));
  }
  return unit;
}

/** The largest power of two that is not above, or 1 for what is none (0, infinite). */
function powerBelow(value: f32): f32 {
  const exponent = reinterpret<u32>(value) & 0x7f800000;
  return exponent == 0 || exponent == 0x7f800000 ? 1 : reinterpret<f32>(exponent);
}

/**
 * A tile of `tokens` rows, `stride` bytes apart, for tilePlanes; those past `count` are zeros. numbers: scratch i32 [group]; scales
 * f32, sums i32 [groups][tokens].
 */
export function packPlanes(
  x: usize, stride: usize, tokens: i32, count: i32, cols: i32, group: i32, offset: i32, out: usize, scales: usize, sums: usize,
  numbers: usize,
): void {
  const groups = ceilDiv(cols, group);
  const piece = min(group, 32);
  for (let g = 0; g < groups; g++) {
    const first = g * group;
    for (let t = 0; t < tokens; t++) {
      const from = x + <usize>t * stride + (<usize>first << 2);
      const known = t < count ? min(group, cols - first) : 0;
      store<f32>(scales, roundGroup(from, known, group, offset, numbers));
      let sum = i32x4.splat(0);
      for (let p = 0; p < group; p += piece) {
        const to = out + <usize>(p * 3 * tokens) + (<usize>t << 2);
        sum = i32x4.add(sum, packPiece(numbers + (<usize>p << 2), piece, tokens, to));
      }
      store<i32>(sums, sumOf(sum));
      scales += 4;
      sums += 4;
    }
    out += <usize>(group * 3 * tokens);
  }
}

/** One token's words of the three planes of a piece, each byte larger by 128. Gives the sums of its lanes. */
function packPiece(numbers: usize, piece: i32, tokens: i32, out: usize): v128 {
  let sum = i32x4.splat(0);
  const plane = <usize>(piece * tokens);
  const shift = i32x4.splat(PLANES_SHIFT);
  for (let c = 0; c < piece; c += 4) {
    const values = v128.load(numbers + (<usize>c << 2));
    sum = i32x4.add(sum, values);
    const bytes = i32x4.add(values, shift);
    v128.store32_lane(out, lowBytes(i32x4.shr_u(bytes, 16)), 0);
    v128.store32_lane(out + plane, lowBytes(i32x4.shr_u(bytes, 8)), 0);
    v128.store32_lane(out + 2 * plane, lowBytes(bytes), 0);
    out += <usize>tokens << 2;
  }
  return sum;
}
