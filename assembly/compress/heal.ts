// ReplaceMe (Shopkhoev et al. 2025): a linear map in place of removed blocks. The map's fold into a matrix, and the pieces of
// its cosine form: the product, the gradient of 1 - cos, and Adam. The least-squares form needs gram.ts and cholesky.ts.

import { gemm } from "./gemm";
import { runTask, task } from "./pool";
import { at4, at8, ceilDiv, FOLD, Task, TRANSFORM } from "./task";

const ROWS: i32 = 64;
const COLS: i32 = 512;

/** Bytes of scratch of a unit of `fold`. */
export function foldScratch(): i32 {
  return ROWS * COLS * 8;
}

/** out [d, n] f32 = T^T W: T [d, d] f64, W [d, n] f32 as stored (outputs first). out is not w. */
export function fold(t: usize, w: usize, d: i32, n: i32, out: usize): void {
  const own = task();
  own.op = FOLD;
  own.units = ceilDiv(d, ROWS);
  own.p0 = t;
  own.p1 = w;
  own.p2 = out;
  own.n0 = d;
  own.n1 = n;
  runTask();
}

export function foldUnit(own: Task, unit: i32, scratch: usize): void {
  const d = own.n0;
  const n = own.n1;
  const first = unit * ROWS;
  const rows = min(ROWS, d - first);
  for (let c0 = 0; c0 < n; c0 += COLS) {
    const cols = min(COLS, n - c0);
    gemm<f64, f64, f32>(rows, cols, d, at8(own.p0, first), 1, d, at4(own.p1, c0), n, 1, scratch, COLS, 1, false);
    for (let r = 0; r < rows; r++) {
      const to = at4(own.p2, <usize>(first + r) * <usize>n + <usize>c0);
      const from = at8(scratch, <usize>(r * COLS));
      for (let c = 0; c < cols; c++) store<f32>(at4(to, c), <f32>load<f64>(at8(from, c)));
    }
  }
}

/** out [rows, n] = M [rows, d] T, T f32 [d, n]. */
export function transform(m: usize, rows: i32, d: i32, t: usize, n: i32, out: usize): void {
  const own = task();
  own.op = TRANSFORM;
  own.units = ceilDiv(n, ROWS);
  own.p0 = m;
  own.p1 = t;
  own.p2 = out;
  own.n0 = rows;
  own.n1 = d;
  own.n2 = n;
  runTask();
}

export function transformUnit(own: Task, unit: i32): void {
  const first = unit * ROWS;
  const cols = min(ROWS, own.n2 - first);
  const out = at4(own.p2, first);
  gemm<f32, f32, f32>(own.n0, cols, own.n1, own.p0, own.n1, 1, at4(own.p1, first), own.n2, 1, out, own.n2, 1, false);
}

/** Gives sum over rows of 1 - cos(p, e); p [rows, cols] becomes the gradient of its mean. */
export function cosineGradient(p: usize, e: usize, rows: i32, cols: i32): f64 {
  let total: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const left = at4(p, <usize>r * <usize>cols);
    const right = at4(e, <usize>r * <usize>cols);
    let dot: f64 = 0;
    let pp: f64 = 1e-30;
    let ee: f64 = 1e-30;
    for (let c = 0; c < cols; c++) {
      const u = <f64>load<f32>(at4(left, c));
      const v = <f64>load<f32>(at4(right, c));
      dot += u * v;
      pp += u * u;
      ee += v * v;
    }
    const norm = Math.sqrt(pp * ee);
    const cosine = dot / norm;
    total += 1 - cosine;
    for (let c = 0; c < cols; c++) {
      const u = <f64>load<f32>(at4(left, c));
      const v = <f64>load<f32>(at4(right, c));
      store<f32>(at4(left, c), <f32>((((cosine * u) / pp) - v / norm) / <f64>rows));
    }
  }
  return total;
}

/** Adam (Kingma & Ba 2015) on t f32 [count] with gradients g f64; first and second moments f32; step from 1. */
export function adamStep(t: usize, g: usize, first: usize, second: usize, count: i32, rate: f64, step: i32): void {
  const correct1 = 1 - Math.pow(0.9, step);
  const correct2 = 1 - Math.pow(0.999, step);
  for (let i = 0; i < count; i++) {
    const gradient = load<f64>(at8(g, i));
    const m = 0.9 * <f64>load<f32>(at4(first, i)) + 0.1 * gradient;
    const v = 0.999 * <f64>load<f32>(at4(second, i)) + 0.001 * gradient * gradient;
    store<f32>(at4(first, i), <f32>m);
    store<f32>(at4(second, i), <f32>v);
    const change = (rate * m) / correct1 / (Math.sqrt(v / correct2) + 1e-8);
    store<f32>(at4(t, i), <f32>(<f64>load<f32>(at4(t, i)) - change));
  }
}

/** Each row of x [rows, cols] over the root of the mean square of the same row of `by`: what a norm behind it makes of it. */
export function overMagnitude(x: usize, by: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    const row = <usize>r * <usize>cols;
    let sum: f64 = 0;
    for (let c: usize = 0; c < <usize>cols; c++) sum += <f64>load<f32>(at4(by, row + c)) * <f64>load<f32>(at4(by, row + c));
    const scale = <f32>(1 / Math.sqrt(sum / <f64>cols + 1e-12));
    for (let c: usize = 0; c < <usize>cols; c++) store<f32>(at4(x, row + c), load<f32>(at4(x, row + c)) * scale);
  }
}

/** out [d, count] = the first `count` columns of x [d, d] f64. */
export function firstColumns(x: usize, d: i32, count: i32, out: usize): void {
  for (let r: usize = 0; r < <usize>d; r++) {
    memory.copy(at8(out, r * <usize>count), at8(x, r * <usize>d), <usize>count << 3);
  }
}

/**
 * Squared residual of a map's columns t [d, count] on the tokens of g = M^T M [d, d] and x = M^T E [d, count], less the E^2 that no map
 * changes: tr(t^T g t) - 2 tr(t^T x). All f64; g whole (see `mirror`), scratch [d, count].
 */
export function mapError(g: usize, x: usize, t: usize, d: i32, count: i32, scratch: usize): f64 {
  gemm<f64, f64, f64>(d, count, d, g, d, 1, t, count, 1, scratch, count, 1, false);
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize>d * <usize>count; i++) {
    sum += load<f64>(at8(t, i)) * (load<f64>(at8(scratch, i)) - 2 * load<f64>(at8(x, i)));
  }
  return sum;
}

/** f32 to f64. */
export function widen(from: usize, count: i32, out: usize): void {
  for (let i = count - 1; i >= 0; i--) store<f64>(at8(out, i), <f64>load<f32>(at4(from, i)));
}

export function identity(t: usize, n: i32): void {
  memory.fill(t, 0, (<usize>n * <usize>n) << 2);
  for (let i = 0; i < n; i++) store<f32>(at4(t, <usize>i * <usize>(n + 1)), 1);
}
