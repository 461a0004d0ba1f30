// Normalisations and softmax of the rows of a matrix [rows, cols], f32, sums in f64.

import { expf } from "./exp";
import { SIMD } from "./lanes";

// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): usize {
  return x + (<usize>i << 2);
}

// @ts-ignore: decorator
@inline
function sumPair(a: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** Sum of (x - mean)^2, eight columns at a time. */
function sumSquares(x: usize, cols: i32, mean: f64): f64 {
  let sum: f64 = 0;
  let c = 0;
  if (SIMD) {
    const middle = f64x2.splat(mean);
    let first = f64x2.splat(0);
    let second = first;
    let third = first;
    let fourth = first;
    for (; c + 8 <= cols; c += 8) {
      let pair = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(at(x, c))), middle);
      first = f64x2.add(first, f64x2.mul(pair, pair));
      pair = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(at(x, c), 8)), middle);
      second = f64x2.add(second, f64x2.mul(pair, pair));
      pair = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(at(x, c), 16)), middle);
      third = f64x2.add(third, f64x2.mul(pair, pair));
      pair = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(at(x, c), 24)), middle);
      fourth = f64x2.add(fourth, f64x2.mul(pair, pair));
    }
    sum = sumPair(f64x2.add(f64x2.add(first, second), f64x2.add(third, fourth)));
  }
  for (; c < cols; c++) {
    const value = <f64>load<f32>(at(x, c)) - mean;
    sum += value * value;
  }
  return sum;
}

/** Sum of x, four columns at a time. */
function sumRow(x: usize, cols: i32): f64 {
  let sum: f64 = 0;
  let c = 0;
  if (SIMD) {
    let first = f64x2.splat(0);
    let second = first;
    for (; c + 4 <= cols; c += 4) {
      first = f64x2.add(first, f64x2.promote_low_f32x4(v128.load64_zero(at(x, c))));
      second = f64x2.add(second, f64x2.promote_low_f32x4(v128.load64_zero(at(x, c), 8)));
    }
    sum = sumPair(f64x2.add(first, second));
  }
  for (; c < cols; c++) sum += load<f32>(at(x, c));
  return sum;
}

/** out = x / sqrt(mean(x^2) + eps) * weight (Zhang & Sennrich 2019). */
export function rmsnorm(x: usize, weight: usize, out: usize, rows: i32, cols: i32, eps: f32): void {
  for (let r = 0; r < rows; r++) {
    const scale = <f32>(1 / sqrt(sumSquares(x, cols, 0) / cols + eps));
    let c = 0;
    if (SIMD) {
      const factor = f32x4.splat(scale);
      for (; c + 4 <= cols; c += 4) {
        v128.store(at(out, c), f32x4.mul(f32x4.mul(v128.load(at(x, c)), factor), v128.load(at(weight, c))));
      }
    }
    for (; c < cols; c++) store<f32>(at(out, c), load<f32>(at(x, c)) * scale * load<f32>(at(weight, c)));
    x = at(x, cols);
    out = at(out, cols);
  }
}

/** out = (x - mean) / sqrt(variance + eps) * weight + bias (Ba et al. 2016). */
export function layernorm(x: usize, weight: usize, bias: usize, out: usize, rows: i32, cols: i32, eps: f32): void {
  for (let r = 0; r < rows; r++) {
    const mean = sumRow(x, cols) / cols;
    const scale = <f32>(1 / sqrt(sumSquares(x, cols, mean) / cols + eps));
    let c = 0;
    if (SIMD) {
      const middle = f32x4.splat(<f32>mean);
      const factor = f32x4.splat(scale);
      for (; c + 4 <= cols; c += 4) {
        const value = f32x4.mul(f32x4.sub(v128.load(at(x, c)), middle), factor);
        v128.store(at(out, c), f32x4.add(f32x4.mul(value, v128.load(at(weight, c))), v128.load(at(bias, c))));
      }
    }
    for (; c < cols; c++) {
      const value = (load<f32>(at(x, c)) - <f32>mean) * scale;
      store<f32>(at(out, c), value * load<f32>(at(weight, c)) + load<f32>(at(bias, c)));
    }
    x = at(x, cols);
    out = at(out, cols);
  }
}

/** out = e^(x - max) / sum; out may be x. */
export function softmax(x: usize, out: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    let largest: f32 = -Infinity;
    for (let c = 0; c < cols; c++) largest = max(largest, load<f32>(at(x, c)));
    let sum: f64 = 0;
    for (let c = 0; c < cols; c++) {
      const value = expf(load<f32>(at(x, c)) - largest);
      sum += value;
      store<f32>(at(out, c), value);
    }
    const scale = <f32>(1 / sum);
    for (let c = 0; c < cols; c++) store<f32>(at(out, c), load<f32>(at(out, c)) * scale);
    x = at(x, cols);
    out = at(out, cols);
  }
}

/** out[r] = index of the first largest value of row r of x [rows, cols], i32; 0 when there is a NaN. */
export function argmaxRows(x: usize, rows: i32, cols: i32, out: usize): void {
  for (let r = 0; r < rows; r++) {
    store<i32>(at(out, r), argmax(x, cols));
    x = at(x, cols);
  }
}

function argmax(x: usize, count: i32): i32 {
  let i = 0;
  let largest: f32 = -Infinity;
  if (SIMD) {
    let most = f32x4.splat(-Infinity);
    for (; i + 4 <= count; i += 4) most = f32x4.max(most, v128.load(at(x, i)));
    largest = max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    );
  }
  for (; i < count; i++) largest = max(largest, load<f32>(at(x, i)));
  for (let best = 0; best < count; best++) if (load<f32>(at(x, best)) == largest) return best;
  return 0;
}
