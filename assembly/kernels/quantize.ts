// Activations to int8: one f32 scale per group of columns (largest magnitude / 127), codes to nearest even, and the
// sum of the codes of each group, which the kernels need for zero points and offsets.

import { ceilDiv } from "./job";
import { SIMD } from "./lanes";

/**
 * Quantizes one row x[cols] f32. codes: int8 [groups * group], padded with 0; scales: f32, sums: i32, one a group, `stride`
 * bytes apart. A group of zeros gets scale 0.
 */
export function quantizeRow(
  x: usize, cols: i32, group: i32, codes: usize, scales: usize, sums: usize, stride: usize,
): void {
  const groups = ceilDiv(cols, group);
  for (let g = 0; g < groups; g++) {
    const first = g * group;
    const count = min(group, cols - first);
    if (SIMD && count == group) {
      quantizeGroup(x + ((<usize>first) << 2), group, codes + first, scales, sums);
      scales += stride;
      sums += stride;
      continue;
    }
    const from = x + ((<usize>first) << 2);
    const to = codes + first;
    if (count < group) memory.fill(to, 0, group);
    const largest = largestMagnitude(from, count);
    const inverse: f32 = largest > 0 ? <f32>127 / largest : 0;
    store<f32>(scales, largest / <f32>127);
    store<i32>(sums, roundCodes(from, count, inverse, to));
    scales += stride;
    sums += stride;
  }
}

// 1.5 * 2^23: added to a number below 2^22 it leaves the nearest integer (ties to even) in the low bits.
const MAGIC: u32 = 0x4b400000;

/** Of 16 or more columns, a multiple of eight; sought among the bits, where a NaN is larger than all. */
export function largestOfGroup(x: usize, group: i32): f32 {
  const magnitude = i32x4.splat(0x7fffffff);
  let most = i32x4.splat(0);
  let second = most;
  for (const end = x + ((<usize>group) << 2); x < end; x += 32) {
    most = i32x4.max_s(most, v128.and(v128.load(x), magnitude));
    second = i32x4.max_s(second, v128.and(v128.load(x, 16), magnitude));
  }
  most = i32x4.max_s(most, second);
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  return reinterpret<f32>(max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)));
}

/** A whole group of 16 or more columns. */
function quantizeGroup(x: usize, group: i32, codes: usize, scale: usize, sum: usize): void {
  const end = x + ((<usize>group) << 2);
  const largest = largestOfGroup(x, group);
  store<f32>(scale, largest / <f32>127);
  const factor = f32x4.splat(largest > 0 ? <f32>127 / largest : 0);
  const magic = i32x4.splat(MAGIC);
  let total = i32x4.splat(0);
  for (; x < end; x += 32) {
    const low = i32x4.sub(f32x4.add(f32x4.mul(v128.load(x), factor), magic), magic);
    const high = i32x4.sub(f32x4.add(f32x4.mul(v128.load(x, 16), factor), magic), magic);
    total = i32x4.add(total, i32x4.add(low, high));
    const half = i16x8.narrow_i32x4_s(low, high);
    v128.store64_lane(codes, i8x16.narrow_i16x8_s(half, half), 0);
    codes += 8;
  }
  total = i32x4.add(total, v128.shuffle<i32>(total, total, 2, 3, 0, 1));
  store<i32>(sum, i32x4.extract_lane(total, 0) + i32x4.extract_lane(total, 1));
}

export function largestMagnitude(x: usize, count: i32): f32 {
  let largest: f32 = 0;
  let i = 0;
  if (SIMD) {
    let most = f32x4.splat(0);
    for (; i + 4 <= count; i += 4) most = f32x4.max(most, f32x4.abs(v128.load(x + ((<usize>i) << 2))));
    largest = max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    );
  }
  for (; i < count; i++) largest = max(largest, abs(load<f32>(x + ((<usize>i) << 2))));
  return largest;
}

/** codes[i] = nearest(x[i] * inverse); gives their sum. */
function roundCodes(x: usize, count: i32, inverse: f32, codes: usize): i32 {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const code = i32(nearest(load<f32>(x + ((<usize>i) << 2)) * inverse));
    store<i8>(codes + i, code);
    sum += code;
  }
  return sum;
}
