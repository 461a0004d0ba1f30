// What this build may use: the only file that reads ASC_FEATURE_*. One source gives five builds; the flags are
// constants, so a branch that a build does not take is not compiled.

export const SIMD: bool = ASC_FEATURE_SIMD;
export const RELAXED: bool = ASC_FEATURE_RELAXED_SIMD;
export const THREADS: bool = ASC_FEATURE_THREADS;

/** Bits of this build: 1 SIMD, 2 relaxed SIMD, 4 threads. */
export function features(): i32 {
  return (SIMD ? 1 : 0) | (RELAXED ? 2 : 0) | (THREADS ? 4 : 0);
}

/** a * b + c in four lanes: one rounding with relaxed SIMD (where the machine fuses), else two. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Pairs of bytes: signed x times unsigned 7-bit w, summed to eight i16. Relaxed builds only. */
// @ts-ignore: decorator
@inline
export function dotBytes(x: v128, w: v128): v128 {
  if (RELAXED) return i16x8.relaxed_dot_i8x16_i7x16_s(x, w);
  return unreachable();
}

/** Four signed bytes x times unsigned 7-bit w added to each i32 lane. Relaxed builds only. */
// @ts-ignore: decorator
@inline
export function dotWords(x: v128, w: v128, sum: v128): v128 {
  if (RELAXED) return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum);
  return unreachable();
}

/** i32 lanes shifted left by 8, given the order of bytes; takes another port of x86 than a shift. Relaxed builds only. */
// @ts-ignore: decorator
@inline
export function shiftByte(a: v128, order: v128): v128 {
  if (RELAXED) return i8x16.relaxed_swizzle(a, order);
  return unreachable();
}

const LARGE_BYTES: usize = memory.data<u32>([0x7f7f7f7f, 0x7f7f7f7f, 0x7f7f7f7f, 0x7f7f7f7f, -1, -1, -1, -1]);

/**
 * Is dotWords one instruction that takes w as unsigned bytes, as on x86 with AVX-VNNI? The relaxed proposal leaves open what bytes
 * above 127 do: machines without the instruction saturate sums of pairs, others take w as signed.
 */
function fusedDots(): bool {
  if (!RELAXED) return false;
  const sum = i32x4.extract_lane(dotWords(v128.load(LARGE_BYTES), v128.load(LARGE_BYTES, 16), i32x4.splat(0)), 0);
  return sum == 4 * 127 * 255;
}
export const FUSED: bool = fusedDots();

/** Sum of the four lanes, in the order (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(a: v128): f32 {
  const pair = f32x4.add(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
}

/**
 * Runs the relaxed instructions once, for a self-test: at `at` signed bytes and 7-bit bytes [16] each, i32 [4], then
 * a, b, c f32 [4] each; behind them go the i16 dot, the accumulating i32 dot and a * b + c.
 */
export function relaxedProbe(at: usize): void {
  if (RELAXED) {
    const x = v128.load(at);
    const w = v128.load(at, 16);
    v128.store(at, i16x8.relaxed_dot_i8x16_i7x16_s(x, w), 96);
    v128.store(at, i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, v128.load(at, 32)), 112);
    v128.store(at, f32x4.relaxed_madd(v128.load(at, 48), v128.load(at, 64), v128.load(at, 80)), 128);
  }
}
