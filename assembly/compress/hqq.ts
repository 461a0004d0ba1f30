// HQQ (Badri & Shaji 2023): zero points by half-quadratic splitting on the weights alone, with an l_p norm (p = 0.7) that
// lets outliers be. The zero point is rounded at the end, as four-bit files hold it; where that is no better than plain
// rounding, plain rounding stays.

import { runTask, task } from "./pool";
import { codeOf, groupScale, groupZero, RANGE, setGroup, setScale, valueOf } from "./round";
import { at4, ceilDiv, HQQ, Task } from "./task";

const ROWS: i32 = 16;
const STEPS: i32 = 20;
const NORM: f64 = 0.7;
const KAPPA: f64 = 1.01;

/** Codes u8 [rows, cols], scales f32 and zeros u8 [rows, cols / group] of w; flags: bits | half << 16. */
export function hqqRows(
  w: usize, rows: i32, cols: i32, group: i32, flags: i32, codes: usize, scales: usize, zeros: usize,
): void {
  const own = task();
  own.op = HQQ;
  own.units = ceilDiv(rows, ROWS);
  own.p0 = w;
  own.p1 = codes;
  own.p2 = scales;
  own.p3 = zeros;
  own.n0 = rows;
  own.n1 = cols;
  own.n2 = group;
  own.n3 = flags;
  runTask();
}

export function hqqUnit(own: Task, unit: i32): void {
  const cols = own.n1;
  const groups = ceilDiv(cols, own.n2);
  for (let r = unit * ROWS; r < min(own.n0, (unit + 1) * ROWS); r++) {
    for (let g = 0; g < groups; g++) {
      const c0 = g * own.n2;
      const count = min(own.n2, cols - c0);
      const from = at4(own.p0, <usize>r * <usize>cols + <usize>c0);
      hqqGroup(from, count, own.n3 & 255, own.n3 >> 16 != 0);
      const to = own.p1 + <usize>r * <usize>cols + <usize>c0;
      for (let c = 0; c < count; c++) store<u8>(to + c, <u8>codeOf(load<f32>(at4(from, c))));
      const index = <usize>r * <usize>groups + <usize>g;
      store<f32>(at4(own.p2, index), groupScale());
      store<u8>(own.p3 + index, <u8>groupZero());
    }
  }
}

/** Leaves the best scale and zero point set. */
function hqqGroup(w: usize, count: i32, bits: i32, half: bool): void {
  setGroup(w, 0, count, bits, RANGE, half);
  const scale = groupScale();
  const plain = groupZero();
  const top = <f32>((1 << bits) - 1);
  let best = plain;
  let least = lpError(w, count);
  let zero = plain;
  let beta: f64 = 10 / <f64>scale;
  for (let i = 0; i < STEPS; i++) {
    setScale(scale, zero, bits);
    zero = nextZero(w, count, beta);
    beta *= KAPPA;
    setScale(scale, max(<f32>0, min(top, nearest(zero))), bits);
    const error = lpError(w, count);
    if (error < least) {
      least = error;
      best = groupZero();
    }
  }
  setScale(scale, best, bits);
}

/** Mean of q - (w - e) / scale, e the shrunk error. */
function nextZero(w: usize, count: i32, beta: f64): f32 {
  let sum: f64 = 0;
  for (let c = 0; c < count; c++) {
    const value = load<f32>(at4(w, c));
    const error = <f64>(value - valueOf(value));
    const size = abs(error);
    // The shrinkage operator of the l_p norm (Xu et al. 2012, approximate form).
    const shrunk = size > 0 ? max(<f64>0, size - Math.pow(size, NORM - 1) / beta) : 0;
    const kept = error < 0 ? -shrunk : shrunk;
    sum += <f64>codeOf(value) - (<f64>value - kept) / <f64>groupScale();
  }
  return <f32>(sum / <f64>count);
}

function lpError(w: usize, count: i32): f64 {
  let sum: f64 = 0;
  for (let c = 0; c < count; c++) {
    const value = load<f32>(at4(w, c));
    sum += Math.pow(<f64>abs(value - valueOf(value)), NORM);
  }
  return sum;
}
