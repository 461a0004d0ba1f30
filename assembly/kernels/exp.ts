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

/** e^x in four lanes */
// @ts-ignore: decorator
@inline
export function expLanes(value: v128): v128 {
  const x = f32x4.max(f32x4.min(value, f32x4.splat(HIGHEST)), f32x4.splat(LOWEST));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(LOG2E)));
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let p = f32x4.splat(1.0 / 5040);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 720));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 120));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 24));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 6));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1));
  return f32x4.mul(p, i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23));
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
