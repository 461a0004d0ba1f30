// AWQ's search (Lin et al. 2023): what a linear layer puts out when its columns are scaled, rounded and scaled back, and how
// far that is from the unrounded output; the best clipping of each group. The matrix is never rounded as a whole: each unit
// rounds the rows that it multiplies.

import { gemm } from "./gemm";
import { runTask, task } from "./pool";
import { fakeGroup, fakeRow } from "./round";
import { at4, at8, ceilDiv, CLIP, FAKE_LOSS, FAKE_OUTPUT, Task } from "./task";

/** Rows (outputs) of one unit. */
const UNIT: i32 = 64;
const CLIP_ROWS: i32 = 16;
/** Candidates of the clip search: limits of 1 - i / 20 of the largest magnitude. */
export const CLIPS: i32 = 10;

/** Floats of scratch that a unit of these sizes needs. */
export function awqScratch(cols: i32, tokens: i32, group: i32): i32 {
  return max(UNIT * (cols + tokens), 2 * CLIP_ROWS * CLIPS * group) + 16;
}

/**
 * out [tokens, outStride] (columns `outFirst` on) = X Q(W diag(s))^T diag(1/s). x [tokens, cols], w [rows, cols].
 * flags as in round.ts, -1: W as it is. s = 0: unscaled.
 */
export function fakeOutput(
  w: usize, rows: i32, cols: i32, s: usize, x: usize, tokens: i32, group: i32, flags: i32, out: usize, outStride: i32,
): void {
  const own = fill(FAKE_OUTPUT, w, rows, cols, s, x, tokens, group, flags);
  own.p3 = out;
  own.n5 = outStride;
  runTask();
}

function fill(
  op: i32, w: usize, rows: i32, cols: i32, s: usize, x: usize, tokens: i32, group: i32, flags: i32,
): Task {
  const own = task();
  own.op = op;
  own.units = ceilDiv(rows, UNIT);
  own.p0 = w;
  own.p1 = s;
  own.p2 = x;
  own.n0 = rows;
  own.n1 = cols;
  own.n2 = tokens;
  own.n3 = group;
  own.n4 = flags;
  return own;
}

/** Rounded rows of a unit in scratch [UNIT, cols]. */
function roundUnitRows(own: Task, first: i32, count: i32, scratch: usize): void {
  const cols = own.n1;
  const flags = own.n4;
  for (let r = 0; r < count; r++) {
    const from = at4(own.p0, <usize>(first + r) * <usize>cols);
    const to = at4(scratch, <usize>r * <usize>cols);
    if (flags < 0) memory.copy(to, from, <usize>cols << 2);
    else fakeRow(from, own.p1, cols, own.n3, flags & 255, (flags >> 8) & 255, flags >> 16 != 0, to);
  }
}

export function fakeOutputUnit(own: Task, unit: i32, scratch: usize): void {
  const first = unit * UNIT;
  const count = min(UNIT, own.n0 - first);
  roundUnitRows(own, first, count, scratch);
  const out = at4(own.p3, <usize>first);
  gemm<f32, f32, f32>(own.n2, count, own.n1, own.p2, own.n1, 1, scratch, 1, own.n1, out, own.n5, 1, false);
}

/**
 * Sum over tokens and outputs of (X (W - V')^T)^2, V' = Q(V diag(s)) diag(1/s); V is W or a clamped W. sums: f64 [ceil(rows / 64)]
 * of work.
 */
export function fakeLoss(
  w: usize, v: usize, rows: i32, cols: i32, s: usize, x: usize, tokens: i32, group: i32, flags: i32, sums: usize,
): f64 {
  const own = fill(FAKE_LOSS, v, rows, cols, s, x, tokens, group, flags);
  own.p3 = sums;
  own.p4 = w;
  runTask();
  let total: f64 = 0;
  for (let i: usize = 0; i < <usize>own.units; i++) total += load<f64>(at8(sums, i));
  return total;
}

export function fakeLossUnit(own: Task, unit: i32, scratch: usize): void {
  const first = unit * UNIT;
  const count = min(UNIT, own.n0 - first);
  const cols = own.n1;
  roundUnitRows(own, first, count, scratch);
  const from = at4(own.p4, <usize>first * <usize>cols);
  for (let i: usize = 0; i < <usize>count * <usize>cols; i++) {
    store<f32>(at4(scratch, i), load<f32>(at4(from, i)) - load<f32>(at4(scratch, i)));
  }
  const out = at4(scratch, <usize>(UNIT * cols));
  gemm<f32, f32, f32>(own.n2, count, cols, own.p2, cols, 1, scratch, 1, cols, out, count, 1, false);
  store<f64>(at8(own.p3, unit), squares(out, <usize>own.n2 * <usize>count));
}

function squares(from: usize, count: usize): f64 {
  let total: f64 = 0;
  for (let i: usize = 0; i < count; i++) {
    const value = <f64>load<f32>(at4(from, i));
    total += value * value;
  }
  return total;
}

/** Sum of (a - b)^2. */
export function squaredDistance(a: usize, b: usize, count: usize): f64 {
  let total: f64 = 0;
  for (let i: usize = 0; i < count; i++) {
    const value = <f64>load<f32>(at4(a, i)) - <f64>load<f32>(at4(b, i));
    total += value * value;
  }
  return total;
}

/**
 * limits f32 [rows, cols / group]: the clipping that makes the group's own output error least, over x whose diagonal Gram
 * blocks are `gram` (gram.ts `blockGramAdd`): error = d^T G d with d = w - w'. choice u8: which candidate.
 */
export function clipSearch(
  w: usize, rows: i32, cols: i32, group: i32, flags: i32, gram: usize, limits: usize, choice: usize,
): void {
  const own = fill(CLIP, w, rows, cols, 0, gram, 0, group, flags);
  own.units = ceilDiv(rows, CLIP_ROWS);
  own.p3 = limits;
  own.p4 = choice;
  runTask();
}

/** Scratch: differences of all candidates [rows * CLIPS, group], and their products with the Gram block. */
export function clipUnit(own: Task, unit: i32, scratch: usize): void {
  const first = unit * CLIP_ROWS;
  const rows = min(CLIP_ROWS, own.n0 - first);
  const group = own.n3;
  const flags = own.n4;
  const products = at4(scratch, <usize>(CLIP_ROWS * CLIPS * group));
  for (let g = 0; g < own.n1 / group; g++) {
    for (let r = 0; r < rows; r++) {
      const from = at4(own.p0, <usize>(first + r) * <usize>own.n1 + <usize>(g * group));
      const peak = largest(from, group);
      for (let i = 0; i < CLIPS; i++) {
        const to = at4(scratch, <usize>((r * CLIPS + i) * group));
        const limit = i == 0 ? <f32>0 : peak * (1 - <f32>i / 20);
        fakeGroup(from, 0, group, flags & 255, (flags >> 8) & 255, flags >> 16 != 0, limit, to);
        for (let c = 0; c < group; c++) store<f32>(at4(to, c), load<f32>(at4(from, c)) - load<f32>(at4(to, c)));
      }
    }
    const block = at4(own.p2, <usize>g * <usize>(group * group));
    gemm<f32, f32, f32>(rows * CLIPS, group, group, scratch, group, 1, block, group, 1, products, group, 1, false);
    for (let r = 0; r < rows; r++) keepBest(own, first + r, g, at4(scratch, <usize>(r * CLIPS * group)), products + (<usize>(r * CLIPS * group) << 2));
  }
}

function keepBest(own: Task, row: i32, g: i32, differences: usize, products: usize): void {
  const group = own.n3;
  let best: f64 = Infinity;
  let index = 0;
  for (let i = 0; i < CLIPS; i++) {
    let error: f64 = 0;
    for (let c = 0; c < group; c++) {
      const at = <usize>(i * group + c);
      error += <f64>load<f32>(at4(differences, at)) * <f64>load<f32>(at4(products, at));
    }
    if (error < best) {
      best = error;
      index = i;
    }
  }
  const to = <usize>row * <usize>(own.n1 / group) + <usize>g;
  const peak = largest(at4(own.p0, <usize>row * <usize>own.n1 + <usize>(g * group)), group);
  store<f32>(at4(own.p3, to), peak * (1 - <f32>index / 20));
  store<u8>(own.p4 + to, <u8>index);
}

export function largest(from: usize, count: i32): f32 {
  let peak: f32 = 0;
  for (let c = 0; c < count; c++) peak = max(peak, abs(load<f32>(at4(from, c))));
  return peak;
}
