// Reductions over activations and weights: mean magnitudes of channels, how alike the residual stream is before and after
// a block (ShortGPT's cosine, Gromov's angle), sums over weights. Rows carry a class (image, prompt, answer, ...).

import { at4, at8 } from "./task";

/** Classes of tokens that sums are kept for. */
export const CLASSES: i32 = 4;
/** f64 of one class: tokens, sum of cosines, sum of angles / pi, sum of |b - a| / |a|. */
export const FIELDS: i32 = 4;

/** sums f64 [cols] += |x| over rows whose class is in `mask` (classes = 0: all). */
export function magnitudes(x: usize, rows: i32, cols: i32, classes: usize, mask: i32, sums: usize): i32 {
  let counted = 0;
  for (let r = 0; r < rows; r++) {
    if (classes != 0 && ((1 << load<u8>(classes + r)) & mask) == 0) continue;
    counted++;
    const from = at4(x, <usize>r * <usize>cols);
    for (let c = 0; c < cols; c++) store<f64>(at8(sums, c), load<f64>(at8(sums, c)) + <f64>abs(load<f32>(at4(from, c))));
  }
  return counted;
}

/** out f32 [count] = sums / by. */
export function means(sums: usize, count: i32, by: f64, out: usize): void {
  for (let c = 0; c < count; c++) store<f32>(at4(out, c), <f32>(load<f64>(at8(sums, c)) / by));
}

/** sums f64 [CLASSES, FIELDS] of rows a (before) and b (after), each [rows, cols]. */
export function similarity(a: usize, b: usize, rows: i32, cols: i32, classes: usize, sums: usize): void {
  for (let r = 0; r < rows; r++) {
    const left = at4(a, <usize>r * <usize>cols);
    const right = at4(b, <usize>r * <usize>cols);
    let dot: f64 = 0;
    let aa: f64 = 0;
    let bb: f64 = 0;
    for (let c = 0; c < cols; c++) {
      const u = <f64>load<f32>(at4(left, c));
      const v = <f64>load<f32>(at4(right, c));
      dot += u * v;
      aa += u * u;
      bb += v * v;
    }
    const norm = Math.sqrt(aa * bb);
    const cosine = norm > 0 ? max(-1.0, min(1.0, dot / norm)) : 1;
    const to = at8(sums, <usize>(<i32>load<u8>(classes + r) * FIELDS));
    store<f64>(to, load<f64>(to) + 1);
    store<f64>(to, load<f64>(to, 8) + cosine, 8);
    store<f64>(to, load<f64>(to, 16) + Math.acos(cosine) / Math.PI, 16);
    store<f64>(to, load<f64>(to, 24) + Math.sqrt(max(0.0, aa + bb - 2 * dot) / max(aa, 1e-30)), 24);
  }
}

/** |a - b| / |b| of two vectors f32 [count]. */
export function relativeDistance(a: usize, b: usize, count: usize): f64 {
  let difference: f64 = 0;
  let size: f64 = 0;
  for (let i: usize = 0; i < count; i++) {
    const v = <f64>load<f32>(at4(b, i));
    const d = <f64>load<f32>(at4(a, i)) - v;
    difference += d * d;
    size += v * v;
  }
  return Math.sqrt(difference / max(size, 1e-30));
}

export function sumMagnitude(x: usize, count: usize): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < count; i++) sum += <f64>abs(load<f32>(at4(x, i)));
  return sum;
}

export function sumSquares(x: usize, count: usize): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < count; i++) sum += <f64>load<f32>(at4(x, i)) * <f64>load<f32>(at4(x, i));
  return sum;
}

/** out = a - b. */
export function subtract(a: usize, b: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) store<f32>(at4(out, i), load<f32>(at4(a, i)) - load<f32>(at4(b, i)));
}

export function divideBy(x: usize, count: usize, rows: usize, by: usize): void {
  const cols = count / rows;
  for (let i: usize = 0; i < count; i++) store<f32>(at4(x, i), load<f32>(at4(x, i)) / load<f32>(at4(by, i % cols)));
}

/** to f64 [count] += by * from. */
export function addScaledDoubles(to: usize, from: usize, count: i32, by: f64): void {
  for (let i = 0; i < count; i++) store<f64>(at8(to, i), load<f64>(at8(to, i)) + by * load<f64>(at8(from, i)));
}

export function sumDoubles(x: usize, count: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) sum += load<f64>(at8(x, i));
  return sum;
}
