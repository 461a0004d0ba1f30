// Gram matrices of activations, summed in f64 over any number of calls: X^T X (lower triangle), M^T E, and the blocks of
// X^T X on the diagonal (clip search). X [rows, cols] f32.

import { gemm } from "./gemm";
import { runTask, task } from "./pool";
import { at4, at8, BLOCK_GRAM, ceilDiv, CROSS, GRAM, Task } from "./task";

const TILE: i32 = 256;

/** g [cols, cols] f64 += X^T X; only tiles that touch the lower triangle are computed, see `mirror`. */
export function gramAdd(x: usize, rows: i32, cols: i32, g: usize): void {
  const own = task();
  const side = ceilDiv(cols, TILE);
  own.op = GRAM;
  own.units = (side * (side + 1)) / 2;
  own.p0 = x;
  own.p1 = g;
  own.n0 = rows;
  own.n1 = cols;
  runTask();
}

export function gramUnit(own: Task, unit: i32): void {
  let i = 0;
  while (((i + 1) * (i + 2)) / 2 <= unit) i++;
  const r0 = i * TILE;
  const c0 = (unit - (i * (i + 1)) / 2) * TILE;
  const cols = own.n1;
  const out = at8(own.p1, <usize>r0 * <usize>cols + <usize>c0);
  const left = at4(own.p0, <usize>r0);
  const right = at4(own.p0, <usize>c0);
  gemm<f64, f32, f32>(
    min(TILE, cols - r0), min(TILE, cols - c0), own.n0, left, 1, cols, right, cols, 1, out, cols, 1, true,
  );
}

/** Copies the lower triangle of a [n, n] over the upper one. */
export function mirror(a: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      store<f64>(at8(a, <usize>j * <usize>n + <usize>i), load<f64>(at8(a, <usize>i * <usize>n + <usize>j)));
    }
  }
}

/** r [p, q] f64 += M^T E; M [rows, p], E [rows, q]. */
export function crossAdd(m: usize, e: usize, rows: i32, p: i32, q: i32, r: usize): void {
  const own = task();
  own.op = CROSS;
  own.units = ceilDiv(p, TILE) * ceilDiv(q, TILE);
  own.p0 = m;
  own.p1 = e;
  own.p2 = r;
  own.n0 = rows;
  own.n1 = p;
  own.n2 = q;
  runTask();
}

export function crossUnit(own: Task, unit: i32): void {
  const across = ceilDiv(own.n2, TILE);
  const r0 = (unit / across) * TILE;
  const c0 = (unit % across) * TILE;
  const out = at8(own.p2, <usize>r0 * <usize>own.n2 + <usize>c0);
  const p = own.n1;
  const q = own.n2;
  gemm<f64, f32, f32>(
    min(TILE, p - r0), min(TILE, q - c0), own.n0,
    at4(own.p0, <usize>r0), 1, p, at4(own.p1, <usize>c0), q, 1, out, q, 1, true,
  );
}

/** g [cols / group, group, group] f32 += the diagonal blocks of X^T X. */
export function blockGramAdd(x: usize, rows: i32, cols: i32, group: i32, g: usize): void {
  const own = task();
  own.op = BLOCK_GRAM;
  own.units = cols / group;
  own.p0 = x;
  own.p1 = g;
  own.n0 = rows;
  own.n1 = cols;
  own.n2 = group;
  runTask();
}

export function blockGramUnit(own: Task, unit: i32): void {
  const group = own.n2;
  const from = at4(own.p0, <usize>(unit * group));
  const out = at4(own.p1, <usize>unit * <usize>(group * group));
  gemm<f32, f32, f32>(group, group, own.n0, from, 1, own.n1, from, own.n1, 1, out, group, 1, true);
}

/** Adds `value` to the diagonal of a [n, n]. */
export function addDiagonal(a: usize, n: i32, value: f64): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const at = at8(a, i * <usize>(n + 1));
    store<f64>(at, load<f64>(at) + value);
  }
}

/** Mean of the diagonal of a [n, n]. */
export function diagonalMean(a: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize>n; i++) sum += load<f64>(at8(a, i * <usize>(n + 1)));
  return sum / <f64>n;
}
