// What the int4 x int8 vector kernels share: masks, and the step from a group's exact sums to the float sums of the rows.
// The float steps are the same in every build, so all builds give the same bits.

// Masks live in memory: written as constants they are rebuilt at every use (three instructions each).
export const MASKS: usize = memory.data<u32>([
  0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, // low nibbles of bytes
  0x00010001, 0x00010001, 0x00010001, 0x00010001, // i16 ones
  0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000, // sign, exponent and mantissa of a half shifted left by 13
  0x000f000f, 0x000f000f, 0x000f000f, 0x000f000f, // nibble positions 0 to 2 of an i16
  0x00f000f0, 0x00f000f0, 0x00f000f0, 0x00f000f0,
  0x0f000f00, 0x0f000f00, 0x0f000f00, 0x0f000f00,
  0xf0f0f0f0, 0xf0f0f0f0, 0xf0f0f0f0, 0xf0f0f0f0, // high nibbles of bytes
  0x02010080, 0x06050480, 0x0a090880, 0x0e0d0c80, // shiftByte of lanes.ts
]);

/** Four f16 scales as f32 times 2^-112. */
// @ts-ignore: decorator
@inline
export function halves(at: usize, mask: v128): v128 {
  return v128.and(i32x4.shl(v128.load16x4_s(at), 13), mask);
}

/** acc += (scale * factor) * sum for the four rows at `at`. */
// @ts-ignore: decorator
@inline
export function accumulate(at: usize, scales: usize, sum: v128, factor: v128, mask: v128): void {
  const scaled = f32x4.mul(halves(scales, mask), factor);
  v128.store(at, f32x4.add(v128.load(at), f32x4.mul(scaled, f32x4.convert_i32x4_s(sum))));
}

/** sum += zero * factor for zero points in the lanes; factor: i32 that fit i16 (one instruction, i32x4.mul is two). */
// @ts-ignore: decorator
@inline
export function addZeros(sum: v128, zeros: v128, factor: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(zeros, factor));
}

/** Sums of so many groups go to the totals, TOTALS bytes behind them: f32 rounds a short sum less. */
export const SHORT: i32 = 16;
export const TOTALS: usize = 256;

/** Adds the sums from..end to the totals and begins them anew. */
export function fold(from: usize, end: usize): void {
  for (; from < end; from += 16) {
    v128.store(from, f32x4.add(v128.load(from, TOTALS), v128.load(from)), TOTALS);
    v128.store(from, f32x4.splat(0));
  }
}
