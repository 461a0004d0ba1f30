// Cholesky factors and what is solved with them, blocked, in f64: A = L L^T in place of A's lower triangle (row-major
// [n, n]), solutions of A X = B, and the upper factor U of the inverse, A^-1 = U^T U, that GPTQ sweeps with.

import { gemm } from "./gemm";
import { runTask, task } from "./pool";
import { at4, at8, ceilDiv, CHOLESKY_PANEL, CHOLESKY_UPDATE, INVERT, SOLVE, Task } from "./task";

/** Columns of a panel. */
const NB: i32 = 64;
const ROWS: i32 = 128;
/** Columns of right-hand sides that one unit solves. */
export const SLAB: i32 = 64;

// @ts-ignore: decorator
@inline
function place(a: usize, n: i32, i: i32, j: i32): usize {
  return at8(a, <usize>i * <usize>n + <usize>j);
}

/** Gives -1, or the index of the first pivot that is not positive: then A is not positive definite. */
export function cholesky(a: usize, n: i32): i32 {
  for (let k = 0; k < n; k += NB) {
    const width = min(NB, n - k);
    const bad = diagonal(a, n, k, width);
    if (bad >= 0) return bad;
    const below = n - k - width;
    if (below == 0) break;
    const own = task();
    own.p0 = a;
    own.n0 = n;
    own.n1 = k;
    own.n2 = width;
    own.op = CHOLESKY_PANEL;
    own.units = ceilDiv(below, ROWS);
    runTask();
    const side = ceilDiv(below, ROWS);
    own.op = CHOLESKY_UPDATE;
    own.units = (side * (side + 1)) / 2;
    runTask();
  }
  return -1;
}

/** Factors one block on the diagonal. */
function diagonal(a: usize, n: i32, k: i32, width: i32): i32 {
  for (let j = k; j < k + width; j++) {
    for (let i = j; i < k + width; i++) {
      let sum = load<f64>(place(a, n, i, j));
      for (let p = k; p < j; p++) sum -= load<f64>(place(a, n, i, p)) * load<f64>(place(a, n, j, p));
      if (i == j) {
        if (!(sum > 0)) return j;
        store<f64>(place(a, n, j, j), Math.sqrt(sum));
      } else {
        store<f64>(place(a, n, i, j), sum / load<f64>(place(a, n, j, j)));
      }
    }
  }
  return -1;
}

/** Rows below the block: X L_kk^T = A. */
export function panelUnit(own: Task, unit: i32): void {
  const a = own.p0;
  const n = own.n0;
  const k = own.n1;
  const first = k + own.n2 + unit * ROWS;
  for (let i = first; i < min(n, first + ROWS); i++) {
    for (let j = k; j < k + own.n2; j++) {
      let sum = load<f64>(place(a, n, i, j));
      for (let p = k; p < j; p++) sum -= load<f64>(place(a, n, i, p)) * load<f64>(place(a, n, j, p));
      store<f64>(place(a, n, i, j), sum / load<f64>(place(a, n, j, j)));
    }
  }
}

/** One tile right of the panel: A_ij -= L_ik L_jk^T. */
export function updateUnit(own: Task, unit: i32): void {
  const a = own.p0;
  const n = own.n0;
  const start = own.n1 + own.n2;
  let i = 0;
  while (((i + 1) * (i + 2)) / 2 <= unit) i++;
  const r0 = start + i * ROWS;
  const c0 = start + (unit - (i * (i + 1)) / 2) * ROWS;
  const left = place(a, n, r0, own.n1);
  const right = place(a, n, c0, own.n1);
  gemm<f64, f64, f64>(
    min(ROWS, n - r0), min(ROWS, n - c0), own.n2, left, n, 1, right, 1, n, place(a, n, r0, c0), n, -1, true,
  );
}

/** b [n, m] f64 becomes the solution of A X = B, from the factor L of A. */
export function solve(l: usize, n: i32, b: usize, m: i32): void {
  const own = task();
  own.op = SOLVE;
  own.units = ceilDiv(m, SLAB);
  own.p0 = l;
  own.p1 = b;
  own.n0 = n;
  own.n1 = m;
  runTask();
}

export function solveUnit(own: Task, unit: i32): void {
  const cols = min(SLAB, own.n1 - unit * SLAB);
  const b = at8(own.p1, <usize>(unit * SLAB));
  forward(own.p0, own.n0, b, own.n1, cols, 0);
  backward(own.p0, own.n0, b, own.n1, cols);
}

/** L Y = B in place, rows above `first` being zero. */
function forward(l: usize, n: i32, b: usize, ldb: i32, cols: i32, first: i32): void {
  for (let k = first; k < n; k += NB) {
    const width = min(NB, n - k);
    const target = at8(b, <usize>k * <usize>ldb);
    if (k > first) {
      const known = at8(b, <usize>first * <usize>ldb);
      gemm<f64, f64, f64>(width, cols, k - first, place(l, n, k, first), n, 1, known, ldb, 1, target, ldb, -1, true);
    }
    for (let i = k; i < k + width; i++) {
      for (let p = k; p < i; p++) subtractRow(b, ldb, i, p, cols, load<f64>(place(l, n, i, p)));
      divideRow(b, ldb, i, cols, load<f64>(place(l, n, i, i)));
    }
  }
}

/** L^T X = Y in place. */
function backward(l: usize, n: i32, b: usize, ldb: i32, cols: i32): void {
  for (let k = ((n - 1) / NB) * NB; k >= 0; k -= NB) {
    const end = min(n, k + NB);
    const target = at8(b, <usize>k * <usize>ldb);
    if (end < n) {
      const known = at8(b, <usize>end * <usize>ldb);
      gemm<f64, f64, f64>(end - k, cols, n - end, place(l, n, end, k), 1, n, known, ldb, 1, target, ldb, -1, true);
    }
    for (let i = end - 1; i >= k; i--) {
      for (let p = i + 1; p < end; p++) subtractRow(b, ldb, i, p, cols, load<f64>(place(l, n, p, i)));
      divideRow(b, ldb, i, cols, load<f64>(place(l, n, i, i)));
    }
  }
}

function subtractRow(b: usize, ldb: i32, i: i32, p: i32, cols: i32, factor: f64): void {
  const to = at8(b, <usize>i * <usize>ldb);
  const from = at8(b, <usize>p * <usize>ldb);
  for (let c: usize = 0; c < <usize>cols; c++) {
    store<f64>(at8(to, c), load<f64>(at8(to, c)) - factor * load<f64>(at8(from, c)));
  }
}

function divideRow(b: usize, ldb: i32, i: i32, cols: i32, by: f64): void {
  const to = at8(b, <usize>i * <usize>ldb);
  for (let c: usize = 0; c < <usize>cols; c++) store<f64>(at8(to, c), load<f64>(at8(to, c)) / by);
}

/** Rows and columns of a [n, n] in reverse order, in place. */
function flip(a: usize, n: i32): void {
  const all = <usize>n * <usize>n;
  for (let i: usize = 0; i < all >> 1; i++) {
    const low = at8(a, i);
    const high = at8(a, all - 1 - i);
    const value = load<f64>(low);
    store<f64>(low, load<f64>(high));
    store<f64>(high, value);
  }
}

/**
 * u [n, n] f32 = the upper factor U of A^-1 = U^T U; A (whole, symmetric) is overwritten. With J the reversal, J A J = L L^T
 * gives U = J L^-1 J: no inverse of A is ever formed. Gives -1 or the index of a pivot that is not positive.
 */
export function inverseFactor(a: usize, n: i32, u: usize): i32 {
  flip(a, n);
  const bad = cholesky(a, n);
  if (bad >= 0) return n - 1 - bad;
  memory.fill(u, 0, (<usize>n * <usize>n) << 2);
  const own = task();
  own.op = INVERT;
  own.units = ceilDiv(n, SLAB);
  own.p0 = a;
  own.p1 = u;
  own.n0 = n;
  runTask();
  return -1;
}

/** Columns of L^-1, written reversed. Scratch: [n, SLAB] f64. */
export function invertUnit(own: Task, unit: i32, scratch: usize): void {
  const n = own.n0;
  const first = unit * SLAB;
  const cols = min(SLAB, n - first);
  memory.fill(scratch, 0, (<usize>n * <usize>SLAB) << 3);
  for (let c = 0; c < cols; c++) store<f64>(at8(scratch, <usize>((first + c) * SLAB + c)), 1);
  forward(own.p0, n, scratch, SLAB, cols, first);
  for (let i = first; i < n; i++) {
    for (let c = 0; c < cols; c++) {
      const to = <usize>(n - 1 - i) * <usize>n + <usize>(n - 1 - first - c);
      store<f32>(at4(own.p1, to), <f32>load<f64>(at8(scratch, <usize>(i * SLAB + c))));
    }
  }
}
