// Exponentials without the platform's library, so that every build and machine gives the same bits: reduction to
// [-ln2 / 2, ln2 / 2] and a Taylor polynomial (relative error 1e-7). Scalar and vector forms take the same steps.

const LOG2E: f32 = 1.4426950408889634;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
/** Results stay normal numbers: arguments are clamped to [-87.3, 88.3]. */
const LOWEST: f32 = -87.3;
const HIGHEST: f32 = 88.3;

/** e^x */
export function expf(value: f32): f32 {
  const x = max(min(value, HIGHEST), LOWEST);
  const n = nearest(x * LOG2E);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let p: f32 = 1.0 / 5040;
  p = p * r + <f32>(1.0 / 720);
  p = p * r + <f32>(1.0 / 120);
  p = p * r + <f32>(1.0 / 24);
  p = p * r + <f32>(1.0 / 6);
  p = p * r + <f32>0.5;
  p = p * r + <f32>1;
  p = p * r + <f32>1;
  return p * reinterpret<f32>((<i32>n + 127) << 23);
}

// Constants of the lanes lie in memory: written as constants they are rebuilt at every use (three instructions each).
const LANES: usize = memory.data<f32>([
  88.3, 88.3, 88.3, 88.3,
  -87.3, -87.3, -87.3, -87.3,
  1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634,
  0.693359375, 0.693359375, 0.693359375, 0.693359375,
  -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4,
  0.0001984126984126984, 0.0001984126984126984, 0.0001984126984126984, 0.0001984126984126984,
  0.001388888888888889, 0.001388888888888889, 0.001388888888888889, 0.001388888888888889,
  0.008333333333333333, 0.008333333333333333, 0.008333333333333333, 0.008333333333333333,
  0.041666666666666664, 0.041666666666666664, 0.041666666666666664, 0.041666666666666664,
  0.16666666666666666, 0.16666666666666666, 0.16666666666666666, 0.16666666666666666,
  0.5, 0.5, 0.5, 0.5,
  1, 1, 1, 1,
]);

/** e^x in four lanes */
// @ts-ignore: decorator
@inline
export function expLanes(value: v128): v128 {
  const x = f32x4.max(f32x4.min(value, v128.load(LANES)), v128.load(LANES, 16));
  const n = f32x4.nearest(f32x4.mul(x, v128.load(LANES, 32)));
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, v128.load(LANES, 48))), f32x4.mul(n, v128.load(LANES, 64)));
  const one = v128.load(LANES, 176);
  let p = v128.load(LANES, 80);
  p = f32x4.add(f32x4.mul(p, r), v128.load(LANES, 96));
  p = f32x4.add(f32x4.mul(p, r), v128.load(LANES, 112));
  p = f32x4.add(f32x4.mul(p, r), v128.load(LANES, 128));
  p = f32x4.add(f32x4.mul(p, r), v128.load(LANES, 144));
  p = f32x4.add(f32x4.mul(p, r), v128.load(LANES, 160));
  p = f32x4.add(f32x4.mul(p, r), one);
  p = f32x4.add(f32x4.mul(p, r), one);
  // The bits of 1.0 are 127 << 23: n as an integer moves the exponent.
  return f32x4.mul(p, i32x4.add(i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23), one));
}

/** Softmax's shares below e^-60 become 0: beside a largest share of 1 no f32 sum holds them, and their products with values would be
 * subnormal, which cost x86 over a hundred cycles each (docs/performance.md). */
const FAINT: f32 = -60;

/** A share of softmax before it is divided by the sum; value: score - largest score, at most 0. */
// @ts-ignore: decorator
@inline
export function softmaxShare(value: f32): f32 {
  return value < FAINT ? 0 : expf(value);
}

/** Four such shares. */
// @ts-ignore: decorator
@inline
export function softmaxShares(value: v128): v128 {
  return v128.andnot(expLanes(value), f32x4.lt(value, f32x4.splat(FAINT)));
}
