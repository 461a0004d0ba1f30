// Codes of whole matrices, group by group of each row: by plain rounding, or with the scale and zero point that HQQ finds.

import { hqqGroup } from "./hqq";
import { runTask, task } from "./pool";
import { codeOf, groupScale, groupZero, setGroup } from "./round";
import { at4, ceilDiv, HQQ, ROUND, Task } from "./task";

/** Rows of a unit. */
const PLAIN_ROWS: i32 = 32;
const HQQ_ROWS: i32 = 16;

/**
 * Codes u8 [rows, cols], scales f32 and zeros u8 [rows, cols / group] of w [rows, cols]. flags: bits | mode << 8 | half << 16.
 */
export function roundRows(
  w: usize, rows: i32, cols: i32, group: i32, flags: i32, codes: usize, scales: usize, zeros: usize,
): void {
  runRows(ROUND, PLAIN_ROWS, w, rows, cols, group, flags, codes, scales, zeros);
}

/** The same by HQQ; it has no modes. */
export function hqqRows(
  w: usize, rows: i32, cols: i32, group: i32, flags: i32, codes: usize, scales: usize, zeros: usize,
): void {
  runRows(HQQ, HQQ_ROWS, w, rows, cols, group, flags, codes, scales, zeros);
}

function runRows(
  op: i32, most: i32, w: usize, rows: i32, cols: i32, group: i32, flags: i32, codes: usize, scales: usize, zeros: usize,
): void {
  const own = task();
  own.op = op;
  own.units = ceilDiv(rows, most);
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

export function rowsUnit(own: Task, unit: i32): void {
  const cols = own.n1;
  const groups = ceilDiv(cols, own.n2);
  const most = own.op == HQQ ? HQQ_ROWS : PLAIN_ROWS;
  for (let r = unit * most; r < min(own.n0, (unit + 1) * most); r++) {
    for (let g = 0; g < groups; g++) {
      const c0 = g * own.n2;
      const count = min(own.n2, cols - c0);
      const from = at4(own.p0, <usize>r * <usize>cols + <usize>c0);
      if (own.op == HQQ) hqqGroup(from, count, own.n3 & 255, own.n3 >> 16 != 0);
      else setGroup(from, 0, count, own.n3 & 255, (own.n3 >> 8) & 255, own.n3 >> 16 != 0);
      const to = own.p1 + <usize>r * <usize>cols + <usize>c0;
      for (let c = 0; c < count; c++) store<u8>(to + c, <u8>codeOf(load<f32>(at4(from, c))));
      const index = <usize>r * <usize>groups + <usize>g;
      store<f32>(at4(own.p2, index), groupScale());
      store<u8>(own.p3 + index, <u8>groupZero());
    }
  }
}
