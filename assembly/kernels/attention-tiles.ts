// Attention of four and more query rows, mostly over many positions: 32 positions at a time, keys and values of a head brought
// into panels once for all rows, products by the tile of tiles.ts, and softmax while positions come (online: Milakov &
// Gimelshein 2018). Query heads that share a key head count as rows of it.

import { softmaxShare, softmaxShares } from "./exp";
import { f32Panel } from "./f32";
import { Job, ceilDiv } from "./job";
import { int8Row, kvScale } from "./kv-int8";
import { RELAXED, sumLanes } from "./lanes";
import { tileFloats } from "./tiles";

/** Positions of one turn. */
const TURN: i32 = 32;
const WIDEST_HEAD: i32 = 256;
/** Below, bringing keys and values into panels costs more than they save (measured: 128 positions lose, 256 win). */
const LONG_CONTEXT: i32 = 192;
/** Sums of the outputs of a unit's rows: f32 [rows / 4][headDim / 8][4][8] at most this many. */
const OUT_VALUES: i32 = 8192;
const MOST_ROWS: i32 = 64;

// Offsets in a thread's scratch: scores f32 [TURN / 8][4][8], shares f32 [4][TURN], largest and sum of each row, key
// panels [TURN / 8][headDim][8], value panels [headDim / 8][TURN][8], sums of the outputs.
const SHARES: usize = <usize>TURN * 16;
const MOST: usize = SHARES + <usize>TURN * 16;
const TOTAL: usize = MOST + <usize>MOST_ROWS * 4;
const KEYS: usize = TOTAL + <usize>MOST_ROWS * 4;
const VALUES: usize = KEYS + <usize>(TURN * WIDEST_HEAD) * 4;
const OUTPUTS: usize = VALUES + <usize>(TURN * WIDEST_HEAD) * 4;
export const TILES_BYTES: usize = OUTPUTS + <usize>OUT_VALUES * 4;

const LANES: usize = memory.data<i32>([0, 1, 2, 3]);
const LOWEST: f32 = -1e30;

/** Whether the query rows of a key head are worth panels: int8 codes, many positions, or relaxed SIMD and several heads a key head. */
export function takesTiles(job: Job): bool {
  const share = job.heads / job.kvHeads;
  if (job.rows * share < 4 || (job.headDim & 7) != 0 || job.headDim > WIDEST_HEAD) return false;
  return job.kScales != 0 || job.context >= LONG_CONTEXT || (RELAXED && share > 1);
}

/** Query rows of one unit. */
export function tileRows(headDim: i32): i32 {
  return min(MOST_ROWS, OUT_VALUES / headDim);
}

/** Rows of a key head: each query row once for every query head that shares it. */
// @ts-ignore: decorator
@inline
function rowsOfHead(job: Job): i32 {
  return job.rows * (job.heads / job.kvHeads);
}

export function tileUnits(job: Job): i32 {
  return job.kvHeads * ceilDiv(rowsOfHead(job), tileRows(job.headDim));
}

/** Byte offset in q and out of row v of a key head. */
// @ts-ignore: decorator
@inline
function rowAt(job: Job, head: i32, v: i32): usize {
  const share = job.heads / job.kvHeads;
  return (<usize>(v / share) * <usize>job.heads + <usize>(head * share + v % share)) * <usize>job.headDim << 2;
}

/** Positions that row v sees. */
// @ts-ignore: decorator
@inline
function seenBy(job: Job, v: i32): i32 {
  return job.causal ? min(job.context, job.start + v / (job.heads / job.kvHeads) + 1) : job.context;
}

export function attentionTiles(job: Job, unit: i32, scratch: usize): void {
  const width = job.headDim;
  const perUnit = tileRows(width);
  const chunks = ceilDiv(rowsOfHead(job), perUnit);
  const head = unit / chunks;
  const first = (unit % chunks) * perUnit;
  const rows = min(perUnit, rowsOfHead(job) - first);
  const quads = ceilDiv(rows, 4);
  memory.fill(scratch + OUTPUTS, 0, <usize>(quads * 4 * width) << 2);
  for (let v = 0; v < quads << 2; v++) {
    store<f32>(scratch + MOST + (<usize>v << 2), LOWEST);
    store<f32>(scratch + TOTAL + (<usize>v << 2), 0);
  }
  const seen = seenBy(job, first + rows - 1);
  for (let from = 0; from < seen; from += TURN) {
    const count = min(TURN, seen - from);
    keyPanels(job, head, from, count, scratch);
    valuePanels(job, head, from, count, scratch);
    for (let quad = 0; quad < quads; quad++) {
      const last = first + min(rows, quad * 4 + 4) - 1;
      if (seenBy(job, last) > from) turn(job, head, first, quad, last, from, count, scratch);
    }
  }
  for (let v = 0; v < rows; v++) finish(job, rowAt(job, head, first + v), v, scratch);
}

/** Four rows meet the positions of one turn. */
function turn(job: Job, head: i32, first: i32, quad: i32, last: i32, from: i32, count: i32, scratch: usize): void {
  const width = job.headDim;
  const v = first + (quad << 2);
  const q0 = job.x + rowAt(job, head, v);
  const q1 = job.x + rowAt(job, head, min(v + 1, last));
  const q2 = job.x + rowAt(job, head, min(v + 2, last));
  const q3 = job.x + rowAt(job, head, min(v + 3, last));
  memory.fill(scratch, 0, SHARES);
  for (let p = 0; p < count; p += 8) {
    tileFloats(scratch + KEYS + <usize>(p * width << 2), width, q0, q1, q2, q3, scratch + (<usize>p << 4));
  }
  const outputs = scratch + OUTPUTS + (<usize>(quad * width) << 4);
  for (let i = 0; i < 4; i++) {
    const seen = min(count, seenBy(job, min(v + i, last)) - from);
    shares(job, (quad << 2) + i, i, seen, scratch, outputs);
  }
  const p = scratch + SHARES;
  const line = <usize>TURN << 2;
  for (let d = 0; d < width; d += 8) {
    tileFloats(scratch + VALUES + (<usize>(d * TURN) << 2), count, p, p + line, p + 2 * line, p + 3 * line, outputs + (<usize>d << 4));
  }
}

/** Scores of row i of a quad to e^(score - largest so far); what was summed under a smaller largest shrinks. */
function shares(job: Job, row: i32, i: i32, seen: i32, scratch: usize, outputs: usize): void {
  const scale = f32x4.splat(<f32>(1 / sqrt(<f64>job.headDim)));
  const unseen = f32x4.splat(LOWEST);
  const to = scratch + SHARES + (<usize>(i * TURN) << 2);
  let most = unseen;
  for (let p = 0; p < TURN; p += 4) {
    const at = scratch + (<usize>(p & ~7) << 4) + (<usize>i << 5) + (<usize>(p & 4) << 2);
    const known = i32x4.lt_s(i32x4.add(v128.load(LANES), i32x4.splat(p)), i32x4.splat(seen));
    const score = v128.bitselect(f32x4.mul(v128.load(at), scale), unseen, known);
    most = f32x4.max(most, score);
    v128.store(to + (<usize>p << 2), score);
  }
  const before = load<f32>(scratch + MOST + (<usize>row << 2));
  const largest = max(
    before,
    max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    ),
  );
  const top = f32x4.splat(largest);
  let total = f32x4.splat(0);
  for (let p = 0; p < TURN; p += 4) {
    const at = to + (<usize>p << 2);
    const known = i32x4.lt_s(i32x4.add(v128.load(LANES), i32x4.splat(p)), i32x4.splat(seen));
    const value = v128.and(softmaxShares(f32x4.sub(v128.load(at), top)), known);
    total = f32x4.add(total, value);
    v128.store(at, value);
  }
  const sum = scratch + TOTAL + (<usize>row << 2);
  if (largest == before) {
    store<f32>(sum, load<f32>(sum) + sumLanes(total));
    return;
  }
  const shrink = softmaxShare(before - largest);
  store<f32>(scratch + MOST + (<usize>row << 2), largest);
  store<f32>(sum, load<f32>(sum) * shrink + sumLanes(total));
  const factor = f32x4.splat(shrink);
  for (let d = 0; d < job.headDim; d += 8) {
    const at = outputs + (<usize>d << 4) + (<usize>i << 5);
    v128.store(at, f32x4.mul(v128.load(at), factor));
    v128.store(at, f32x4.mul(v128.load(at, 16), factor), 16);
  }
}

function finish(job: Job, at: usize, v: i32, scratch: usize): void {
  const factor = f32x4.splat(1 / load<f32>(scratch + TOTAL + (<usize>v << 2)));
  const outputs = scratch + OUTPUTS + (<usize>((v >> 2) * job.headDim) << 4) + (<usize>(v & 3) << 5);
  const out = job.out + at;
  for (let d = 0; d < job.headDim; d += 8) {
    const from = outputs + (<usize>d << 4);
    v128.store(out + (<usize>d << 2), f32x4.mul(v128.load(from), factor));
    v128.store(out + (<usize>d << 2), f32x4.mul(v128.load(from, 16), factor), 16);
  }
}

/** Keys of `count` positions to panels of eight positions. int8 rows become floats where the values' panels come next. */
function keyPanels(job: Job, head: i32, from: i32, count: i32, scratch: usize): void {
  const width = job.headDim;
  for (let p = 0; p < count; p += 8) {
    const panel = scratch + KEYS + (<usize>(p * width) << 2);
    const rows = min(8, count - p);
    if (job.kScales == 0) {
      const stride = job.kvHeads * width;
      const at = job.k + (<usize>(from + p) * <usize>stride + <usize>(head * width) << 2);
      f32Panel(at, rows, stride, width, panel);
      continue;
    }
    const floats = scratch + VALUES;
    for (let i = 0; i < rows; i++) {
      const row = <usize>head * <usize>job.capacity + <usize>(from + p + i);
      int8Row(job.k + row * <usize>width, kvScale(job.kScales, row), width, floats + (<usize>(i * width) << 2), 32);
    }
    f32Panel(floats, rows, width, width, panel);
  }
}

/** Values of `count` positions to panels of eight columns, TURN * 32 bytes apart. */
function valuePanels(job: Job, head: i32, from: i32, count: i32, scratch: usize): void {
  const width = job.headDim;
  for (let p = 0; p < count; p++) {
    const to = scratch + VALUES + (<usize>p << 5);
    if (job.kScales != 0) {
      const row = <usize>head * <usize>job.capacity + <usize>(from + p);
      int8Row(job.v + row * <usize>width, kvScale(job.vScales, row), width, to, TURN * 32);
      continue;
    }
    const at = job.v + (<usize>(from + p) * <usize>(job.kvHeads * width) + <usize>(head * width) << 2);
    for (let d = 0; d < width; d += 8) {
      const panel = to + (<usize>(d * TURN) << 2);
      v128.store(panel, v128.load(at + (<usize>d << 2)));
      v128.store(panel, v128.load(at + (<usize>d << 2), 16), 16);
    }
  }
}
