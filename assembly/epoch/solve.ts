// The memory time of one stage: the root of T = max(sum lines L(load) / N, bytes / B(mix)), where the load is bytes / T.
// The right side falls as T grows, so the root is unique. It is bracketed and bisected; steps inside the bracket take most of
// the way: between two points of a curve the right side is a + b / T, whose root is that of T^2 = a T + b. A shared edge that needs longer than the root is the root of the whole equation, as the
// right side is no more than that there.

import { CHASE, EDGE_MASK, KINDS, STREAM, STRIDE, WRITTEN, poolAt } from "./layout";
import { WAIT, edgeReadyAt, readyAt, transferNs } from "./machine";
import { between, idleNs, lower, pickCurves, queueingNs, slope, upper } from "./pool";

/** Which parts of the equation count: each level has all of the one before. */
const IDLE: i32 = 0;
export const LOADED: i32 = 1;
export const SHARED: i32 = 2;
export const WRITING: i32 = 3;

const LINE: f64 = 64.0;
/** Imbalance over root at which the search stops; as the right side falls, it bounds the error of the root too. */
const TOLERANCE: f64 = 1e-9;

/** [pools, 8]: waits, idle ns, ns of its bytes, the same at its fair share, load of others, two curves, part of the second. */
const SIDE: usize = memory.data(16 * 8 * 8);

/** Time that always passes besides the memory's; 0 where compute overlaps memory. */
export let base: f64 = 0.0;
/** Sum of waits at idle latencies of the equation solved last: its solution at level IDLE. */
export let idleSum: f64 = 0.0;
/** Largest |F(T) - T| / T of the stages solved since it was last cleared. */
export let residual: f64 = 0.0;

export function clearResidual(): void {
  residual = 0.0;
}

export function setBase(ns: f64): void {
  base = ns;
}

// @ts-ignore: decorator
@inline
export function lines(flow: usize, kind: i32): f64 {
  return load<f64>(flow + (<usize>kind << 3));
}

// @ts-ignore: decorator
@inline
export function readLines(flow: usize): f64 {
  return lines(flow, CHASE) + lines(flow, STRIDE) + lines(flow, STREAM);
}

/** lines / N of one flow over all threads. */
// @ts-ignore: decorator
@inline
export function waits(flow: usize): f64 {
  return (
    lines(flow, CHASE) * load<f64>(WAIT) +
    lines(flow, STRIDE) * load<f64>(WAIT + 8) +
    lines(flow, STREAM) * load<f64>(WAIT + 16)
  );
}

/** One pool's side of the equation: `waiting` lines one after another, `read` and `written` lines of load. */
export function take(index: i32, waiting: f64, readLines: f64, writtenLines: f64, level: i32): void {
  const at = SIDE + <usize>(index * 64);
  const pool = poolAt(index);
  const ready = readyAt(index);
  const read = readLines * LINE;
  const written = level < WRITING ? 0.0 : writtenLines * LINE;
  const own = transferNs(ready, read, written);
  store<f64>(at, waiting);
  store<f64>(at + 8, idleNs(pool, load<f64>(ready + 24), read, written));
  store<f64>(at + 16, own);
  store<f64>(at + 24, level < SHARED ? own : own * load<f64>(ready + 32));
  store<f64>(at + 32, level < SHARED ? 0.0 : load<f64>(ready + 40));
  pickCurves(pool, read, written);
  store<usize>(at + 40, lower);
  store<usize>(at + 48, upper);
  store<f64>(at + 56, between);
}

/** How fast the latency asked for last grows with 1 / t; after `latencyNs` that of the whole right side. */
let gain: f64 = 0.0;

/** Latency of pool `index` as taken, when the stage takes t ns. */
export function loadedNs(index: i32, t: f64): f64 {
  const at = SIDE + <usize>(index * 64);
  const others = load<f64>(at + 32);
  const most = others > 0.0 ? load<f64>(readyAt(index) + 48) : 1.0;
  const u = load<f64>(at + 16) / t + others;
  const curves = load<usize>(at + 40);
  const added = queueingNs(poolAt(index), curves, load<usize>(at + 48), load<f64>(at + 56), u > most ? most : u);
  gain = u > most ? 0.0 : slope * load<f64>(at + 16);
  return load<f64>(at + 8) + added;
}

/** base + sum of waits L(load) when the stage takes t ns. */
function latencyNs(pools: i32, t: f64): f64 {
  let sum = base;
  let rise: f64 = 0.0;
  for (let i = 0; i < pools; i++) {
    const waiting = load<f64>(SIDE + <usize>(i * 64));
    if (waiting == 0.0) continue;
    sum += waiting * loadedNs(i, t);
    rise += waiting * gain;
  }
  gain = rise;
  return sum;
}

/** The root between `least` and `most`, the right side at `least`, which was evaluated last. */
function search(pools: i32, least: f64, most: f64): f64 {
  let low = least;
  let high = most;
  let x = least;
  let right = most;
  for (let step = 1; step < 200; step++) {
    const fixed = right - gain / x;
    let next = 0.5 * (fixed + sqrt<f64>(fixed * fixed + 4.0 * gain));
    if (!(next > low && next <= high) || (step & 3) == 0) next = 0.5 * (low + high);
    if (next <= low || next > high) break;
    x = next;
    right = latencyNs(pools, x);
    const over = right - x;
    if ((over > 0.0 ? over : -over) <= TOLERANCE * x) break;
    if (over > 0.0) low = x;
    else high = x;
  }
  const off = right > x ? right / x - 1.0 : 1.0 - right / x;
  if (off > residual) residual = off;
  return x;
}

/** The root for the sides that were taken, or `floor` if that is longer. */
export function solve(pools: i32, level: i32, floor: f64): f64 {
  let idle = base;
  let added: f64 = 0.0;
  let low = floor;
  for (let i = 0; i < pools; i++) {
    const at = SIDE + <usize>(i * 64);
    const waiting = load<f64>(at);
    idle += waiting * load<f64>(at + 8);
    added += waiting * load<f64>(readyAt(i) + 56);
    const own = load<f64>(at + 24);
    if (level >= LOADED && own > low) low = own;
  }
  idleSum = idle;
  if (idle > low) low = idle;
  // What even the fullest memories would not hold up is its own root.
  if (idle + added <= low) return low;
  const most = latencyNs(pools, low);
  return most <= low ? low : search(pools, low, most);
}

/** Memory ns of a stage with all its lines in pool 0, or `floor` if that is longer. */
export function localNs(stage: usize, pools: i32, level: i32, floor: f64): f64 {
  let waiting: f64 = 0.0;
  let read: f64 = 0.0;
  let written: f64 = 0.0;
  for (let i = 0; i < pools; i++) {
    const flow = stage + 8 + <usize>(i * KINDS * 8);
    waiting += waits(flow);
    read += readLines(flow);
    written += lines(flow, WRITTEN);
  }
  take(0, waiting, read, written, level);
  return solve(1, level, floor);
}

/** Memory ns of a stage with its lines where they were placed, edges wide enough, or `floor` if that is longer. */
export function placedNs(stage: usize, pools: i32, level: i32, floor: f64): f64 {
  for (let i = 0; i < pools; i++) {
    const flow = stage + 8 + <usize>(i * KINDS * 8);
    take(i, waits(flow), readLines(flow), lines(flow, WRITTEN), level);
  }
  return solve(pools, level, floor);
}

/** ns of the busiest direction of the busiest edge; `chase` false leaves that kind out, where its slot holds no lines. */
export function edgeNs(stage: usize, pools: i32, edges: i32, level: i32, chase: bool): f64 {
  let worst: f64 = 0.0;
  const shared: usize = level < SHARED ? 0 : 16;
  for (let e = 0; e < edges; e++) {
    let read: f64 = 0.0;
    let written: f64 = 0.0;
    for (let i = 0; i < pools; i++) {
      if ((<u32>load<f64>(poolAt(i) + EDGE_MASK) & (<u32>1 << e)) == 0) continue;
      const flow = stage + 8 + <usize>(i * KINDS * 8);
      read += chase ? readLines(flow) : lines(flow, STRIDE) + lines(flow, STREAM);
      written += lines(flow, WRITTEN);
    }
    const ready = edgeReadyAt(e) + shared;
    let ns = read * LINE * load<f64>(ready);
    const away = level < WRITING ? 0.0 : written * LINE * load<f64>(ready + 8);
    if (away > ns) ns = away;
    if (ns > worst) worst = ns;
  }
  return worst;
}
