// GPTQ's sweep (Frantar et al. 2023): columns are rounded from left to right and their error is carried to the columns still
// to come through U, the upper factor of the inverse Hessian. Rows do not depend on each other: a unit is some rows.

import { gemm } from "./gemm";
import { runTask, task } from "./pool";
import { codeOf, groupScale, groupZero, setGroup, setScale } from "./round";
import { at4, ceilDiv, GPTQ, Task } from "./task";

const ROWS: i32 = 16;

/** Bytes of scratch of a unit. */
export function gptqScratch(block: i32): i32 {
  return 2 * ROWS * block * 4;
}

/**
 * w [rows, cols] f32 is used up. u [cols, cols] f32. codes u8 [rows, cols], scales f32 and zeros u8 [rows, cols / group].
 * order: i32 [cols], the column that stands at each place of w and u (act-order), or 0; with it scales and zeros are given (static
 * groups of the original columns), else they are found where a group starts: on w as it stands, which within a block of `block`
 * columns has not had the block's own updates. flags as in round.ts.
 */
export function gptqSweep(
  w: usize, rows: i32, cols: i32, group: i32, flags: i32, block: i32, u: usize, order: usize,
  codes: usize, scales: usize, zeros: usize,
): void {
  const own = task();
  own.op = GPTQ;
  own.units = ceilDiv(rows, ROWS);
  own.p0 = w;
  own.p1 = u;
  own.p2 = order;
  own.p3 = codes;
  own.p4 = scales;
  own.p5 = zeros;
  own.n0 = rows;
  own.n1 = cols;
  own.n2 = group;
  own.n3 = flags;
  own.n4 = block;
  runTask();
}

export function gptqUnit(own: Task, unit: i32, scratch: usize): void {
  const first = unit * ROWS;
  const rows = min(ROWS, own.n0 - first);
  const cols = own.n1;
  const block = own.n4;
  const errors = at4(scratch, <usize>(ROWS * block));
  for (let b0 = 0; b0 < cols; b0 += block) {
    const count = min(block, cols - b0);
    for (let r = 0; r < rows; r++) {
      const from = at4(own.p0, <usize>(first + r) * <usize>cols + <usize>b0);
      memory.copy(scratch, from, <usize>count << 2);
      sweepRow(own, first + r, b0, count, scratch, at4(errors, <usize>(r * block)));
    }
    const rest = cols - b0 - count;
    if (rest == 0) break;
    const right = at4(own.p1, <usize>b0 * <usize>cols + <usize>(b0 + count));
    const target = at4(own.p0, <usize>first * <usize>cols + <usize>(b0 + count));
    gemm<f32, f32, f32>(rows, rest, count, errors, block, 1, right, cols, 1, target, cols, -1, true);
  }
}

/** One row of one block; `work` holds its columns. */
function sweepRow(own: Task, row: i32, b0: i32, count: i32, work: usize, errors: usize): void {
  const cols = own.n1;
  const group = own.n2;
  const groups = ceilDiv(cols, group);
  const bits = own.n3 & 255;
  for (let i = 0; i < count; i++) {
    const column = b0 + i;
    const place = own.p2 ? load<i32>(at4(own.p2, column)) : column;
    const index = <usize>row * <usize>groups + <usize>(place / group);
    if (own.p2 == 0 && column % group == 0) {
      const from = at4(own.p0, <usize>row * <usize>cols + <usize>column);
      setGroup(from, 0, min(group, cols - column), bits, (own.n3 >> 8) & 255, own.n3 >> 16 != 0);
      store<f32>(at4(own.p4, index), groupScale());
      store<u8>(own.p5 + index, <u8>groupZero());
    } else if (own.p2 != 0 || i == 0) {
      setScale(load<f32>(at4(own.p4, index)), <f32>load<u8>(own.p5 + index), bits);
    }
    const value = load<f32>(at4(work, i));
    const code = codeOf(value);
    store<u8>(own.p3 + <usize>row * <usize>cols + <usize>place, <u8>code);
    const factors = at4(own.p1, <usize>column * <usize>cols + <usize>column);
    const error = (value - (code - groupZero()) * groupScale()) / load<f32>(factors);
    store<f32>(at4(errors, i), error);
    for (let j = 1; j < count - i; j++) {
      const at = at4(work, i + j);
      store<f32>(at, load<f32>(at) - error * load<f32>(at4(factors, j)));
    }
  }
}

/** Columns of w [rows, cols] in another order: out[r][i] = w[r][order[i]]. */
export function permuteColumns(w: usize, rows: i32, cols: i32, order: usize, out: usize): void {
  for (let r = 0; r < rows; r++) {
    const from = at4(w, <usize>r * <usize>cols);
    const to = at4(out, <usize>r * <usize>cols);
    for (let i = 0; i < cols; i++) store<f32>(at4(to, i), load<f32>(at4(from, load<i32>(at4(order, i)))));
  }
}

/** h [n, n] f64 with rows and columns in another order, in place: Gram matrices are too large for a second one. work: n f64 and n u8. */
export function permuteBoth(h: usize, n: i32, order: usize, work: usize): void {
  const bytes = <usize>n << 3;
  const moved = work + bytes;
  memory.fill(moved, 0, <usize>n);
  for (let first = 0; first < n; first++) {
    if (load<u8>(moved + <usize>first)) continue;
    // A cycle of rows: each gets the row that belongs there, the first one's waits in `work`.
    memory.copy(work, h + <usize>first * bytes, bytes);
    let to = first;
    for (;;) {
      store<u8>(moved + <usize>to, 1);
      const from = load<i32>(at4(order, to));
      if (from == first) break;
      memory.copy(h + <usize>to * bytes, h + <usize>from * bytes, bytes);
      to = from;
    }
    memory.copy(h + <usize>to * bytes, work, bytes);
  }
  for (let i = 0; i < n; i++) {
    const row = h + <usize>i * bytes;
    memory.copy(work, row, bytes);
    for (let j = 0; j < n; j++) store<f64>(row + (<usize>j << 3), load<f64>(work + (<usize>load<i32>(at4(order, j)) << 3)));
  }
}

/** Inputs that never fire (h_ii = 0) get h_ii = 1 and weights 0; then `damp` times the mean of the diagonal is added to it. */
export function dampen(h: usize, n: i32, damp: f64, w: usize, rows: i32): void {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    const at = h + ((<usize>i * <usize>(n + 1)) << 3);
    if (load<f64>(at) == 0) {
      store<f64>(at, 1);
      for (let r = 0; r < rows; r++) store<f32>(at4(w, <usize>r * <usize>n + <usize>i), 0);
    }
    sum += load<f64>(at);
  }
  for (let i = 0; i < n; i++) {
    const at = h + ((<usize>i * <usize>(n + 1)) << 3);
    store<f64>(at, load<f64>(at) + (damp * sum) / <f64>n);
  }
}

/** order i32 [n]: indices of the diagonal of h from its largest to its smallest; equal ones stay in their order. */
export function diagonalOrder(h: usize, n: i32, order: usize, work: usize): void {
  for (let i = 0; i < n; i++) store<i32>(at4(order, i), i);
  for (let width = 1; width < n; width *= 2) {
    for (let first = 0; first < n; first += 2 * width) merge(h, n, order, work, first, min(first + width, n), min(first + 2 * width, n));
    memory.copy(order, work, <usize>n << 2);
  }
}

function merge(h: usize, n: i32, order: usize, work: usize, first: i32, middle: i32, end: i32): void {
  let i = first;
  let j = middle;
  for (let to = first; to < end; to++) {
    const left = i < middle && (j >= end || diagonal(h, n, load<i32>(at4(order, i))) >= diagonal(h, n, load<i32>(at4(order, j))));
    store<i32>(at4(work, to), load<i32>(at4(order, left ? i++ : j++)));
  }
}

// @ts-ignore: decorator
@inline
function diagonal(h: usize, n: i32, i: i32): f64 {
  return load<f64>(h + ((<usize>i * <usize>(n + 1)) << 3));
}
