// Elementwise functions of the MLPs, f32. gelu is exact (erf) in f64; the others use expf of this module.

import { exp64 } from "./exp64";
import { expLanes, expf } from "./exp";
import { SIMD } from "./lanes";

/** out = x + y, x [rows, cols], y [yRows, cols] with yRows 1 (added to every row) or rows. */
export function add(x: usize, y: usize, out: usize, rows: i32, cols: i32, yRows: i32): void {
  const bytes = <usize>cols << 2;
  for (let r = 0; r < rows; r++) {
    let c: usize = 0;
    if (SIMD) for (const end = bytes & ~15; c < end; c += 16) v128.store(out + c, f32x4.add(v128.load(x + c), v128.load(y + c)));
    for (; c < bytes; c += 4) store<f32>(out + c, load<f32>(x + c) + load<f32>(y + c));
    x += bytes;
    out += bytes;
    if (yRows > 1) y += bytes;
  }
}

/** out = x / (1 + e^(-slope x)), times `gate`'s partner where given: the one loop of silu, quickGelu and swiglu. */
// @ts-ignore: decorator
@inline
function sigmoidProduct(x: usize, partner: usize, out: usize, count: i32, slope: f32): void {
  let i: usize = 0;
  const end = <usize>count << 2;
  if (SIMD) {
    const one = f32x4.splat(1);
    for (; i + 16 <= end; i += 16) {
      const value = v128.load(x + i);
      let result = f32x4.div(value, f32x4.add(one, expLanes(f32x4.mul(value, f32x4.splat(-slope)))));
      if (partner) result = f32x4.mul(result, v128.load(partner + i));
      v128.store(out + i, result);
    }
  }
  for (; i < end; i += 4) {
    const value = load<f32>(x + i);
    let result = value / (1 + expf(value * -slope));
    if (partner) result *= load<f32>(partner + i);
    store<f32>(out + i, result);
  }
}

export function silu(x: usize, out: usize, count: i32): void {
  sigmoidProduct(x, 0, out, count, 1);
}

/** x * sigmoid(1.702 x), as CLIP has it. */
export function quickGelu(x: usize, out: usize, count: i32): void {
  sigmoidProduct(x, 0, out, count, 1.702);
}

/** out = silu(gate) * up (Shazeer 2020). */
export function swiglu(gate: usize, up: usize, out: usize, count: i32): void {
  sigmoidProduct(gate, up, out, count, 1);
}

// Chebyshev coefficients of ln(erfc(y)) + y^2 in t = 1 / (1 + y / 2) over [0.2, 1], interpolated at 400 nodes: relative
// error of erfc below 2e-9 for y <= 8.
const ERFC: usize = memory.data<f64>([
  -1.177328312, 1.294534057, -0.1405217096, 0.03142270012, -0.01071800169, 0.003401115356, -0.001040131297,
  0.000334288908, -0.000112739858, 3.858580102e-05, -1.325464208e-05, 4.589629415e-06, -1.605980199e-06,
  5.666442312e-07, -2.010687389e-07, 7.167655559e-08, -2.566262801e-08, 9.225259032e-09, -3.328086011e-09,
  1.204340583e-09,
]);
const ERFC_TERMS: i32 = 20;

/** ln(1 - erf(y)) for y >= 0, by Clenshaw's recurrence. */
function logErfc(y: f64): f64 {
  const u = (1 / (1 + 0.5 * y) - 0.6) / 0.4;
  const twice = 2 * u;
  let a: f64 = 0;
  let b: f64 = 0;
  for (let at = ERFC + ((ERFC_TERMS - 1) << 3); at > ERFC; at -= 8) {
    const sum = twice * a - b + load<f64>(at);
    b = a;
    a = sum;
  }
  return u * a - b + load<f64>(ERFC) - y * y;
}

/** The same of two numbers, in the same steps. */
function logErfcPair(y: v128): v128 {
  const one = f64x2.splat(1);
  const u = f64x2.div(
    f64x2.sub(f64x2.div(one, f64x2.add(one, f64x2.mul(f64x2.splat(0.5), y))), f64x2.splat(0.6)), f64x2.splat(0.4),
  );
  const twice = f64x2.add(u, u);
  let a = f64x2.splat(0);
  let b = a;
  for (let at = ERFC + ((ERFC_TERMS - 1) << 3); at > ERFC; at -= 8) {
    const sum = f64x2.add(f64x2.sub(f64x2.mul(twice, a), b), v128.load64_splat(at));
    b = a;
    a = sum;
  }
  return f64x2.sub(f64x2.add(f64x2.sub(f64x2.mul(u, a), b), v128.load64_splat(ERFC)), f64x2.mul(y, y));
}

// @ts-ignore: decorator
@inline
function geluOf(value: f64, logTail: f64): f32 {
  const tail = 0.5 * exp64(logTail);
  return <f32>(value * (value < 0 ? tail : 1 - tail));
}

const ROOT_HALF: f64 = 0.7071067811865476;

/** x * (1 + erf(x / sqrt 2)) / 2 (Hendrycks & Gimpel 2016) */
export function gelu(x: usize, out: usize, count: i32): void {
  let i: usize = 0;
  const end = <usize>count << 2;
  if (SIMD) {
    for (; i + 8 <= end; i += 8) {
      const values = f64x2.promote_low_f32x4(v128.load64_zero(x + i));
      const tails = logErfcPair(f64x2.mul(f64x2.abs(values), f64x2.splat(ROOT_HALF)));
      store<f32>(out + i, geluOf(f64x2.extract_lane(values, 0), f64x2.extract_lane(tails, 0)));
      store<f32>(out + i, geluOf(f64x2.extract_lane(values, 1), f64x2.extract_lane(tails, 1)), 4);
    }
  }
  for (; i < end; i += 4) {
    const value = <f64>load<f32>(x + i);
    store<f32>(out + i, geluOf(value, logErfc(abs(value) * ROOT_HALF)));
  }
}
