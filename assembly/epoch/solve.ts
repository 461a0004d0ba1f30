// The memory time of one stage: the root of T = max(sum lines L(load) / N, bytes / B(mix)), where the load is bytes / T.
// The right side falls as T grows, so the root is unique; bisection finds it. A shared edge that needs longer than the
// root is the root of the whole equation, as the right side is no more than that there.

import {
  CHASE,
  EDGES,
  EDGE_MASK,
  HOST,
  KINDS,
  MAX_POOLS,
  STREAM,
  STRIDE,
  WRITTEN,
  poolAt,
} from "./layout";
import { idleNs, queueingNs, transferNs } from "./pool";

/** Which parts of the equation count: each level has all of the one before. */
export const IDLE: i32 = 0;
export const LOADED: i32 = 1;
export const WRITING: i32 = 2;

const LINE: f64 = 64.0;
/** Interval over root at which bisection stops; the residual is checked apart. */
const TOLERANCE: f64 = 1e-9;

/** [pools, 3]: waits = sum of lines / N, idle ns, ns of its bytes at its own bandwidth. */
const SIDE: usize = memory.data(16 * 3 * 8);

/** Largest |F(T) - T| / T of the stages solved since it was last cleared. */
export let residual: f64 = 0.0;

export function clearResidual(): void {
  residual = 0.0;
}

// @ts-ignore: decorator
@inline
function lines(flow: usize, kind: i32): f64 {
  return load<f64>(flow + (<usize>kind << 3));
}

/** lines / N of one flow over all threads. */
function waits(flow: usize): f64 {
  return (
    (lines(flow, CHASE) / load<f64>(HOST + 8) +
      lines(flow, STRIDE) / load<f64>(HOST + 16) +
      lines(flow, STREAM) / load<f64>(HOST + 24)) /
    load<f64>(HOST)
  );
}

function prepare(index: i32, pool: usize, waiting: f64, read: f64, written: f64): void {
  const at = SIDE + <usize>(index * 24);
  store<f64>(at, waiting);
  store<f64>(at + 8, idleNs(pool, read, written));
  store<f64>(at + 16, transferNs(pool, read, written));
}

/** sum of lines L(load) / N when the stage takes T ns. */
function latencyNs(pools: i32, t: f64): f64 {
  let sum: f64 = 0.0;
  for (let i = 0; i < pools; i++) {
    const at = SIDE + <usize>(i * 24);
    const waiting = load<f64>(at);
    if (waiting > 0.0) sum += waiting * (load<f64>(at + 8) + queueingNs(poolAt(i), load<f64>(at + 16) / t));
  }
  return sum;
}

function solve(pools: i32, level: i32): f64 {
  let idle: f64 = 0.0;
  let low: f64 = 0.0;
  for (let i = 0; i < pools; i++) {
    const at = SIDE + <usize>(i * 24);
    idle += load<f64>(at) * load<f64>(at + 8);
    const own = load<f64>(at + 16);
    if (level >= LOADED && own > low) low = own;
  }
  if (level == IDLE) return idle;
  if (idle > low) low = idle;
  if (low == 0.0) return 0.0;
  let high = latencyNs(pools, low);
  if (high <= low) return low;
  while (high - low > TOLERANCE * high) {
    const middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) break;
    if (latencyNs(pools, middle) > middle) low = middle;
    else high = middle;
  }
  const off = latencyNs(pools, high) / high - 1.0;
  const size = off < 0.0 ? -off : off;
  if (size > residual) residual = size;
  return high;
}

/** Memory ns of a stage with all its lines in pool 0. */
export function localNs(stage: usize, pools: i32, level: i32): f64 {
  let waiting: f64 = 0.0;
  let read: f64 = 0.0;
  let written: f64 = 0.0;
  for (let i = 0; i < pools; i++) {
    const flow = stage + 8 + <usize>(i * KINDS * 8);
    waiting += waits(flow);
    read += lines(flow, CHASE) + lines(flow, STRIDE) + lines(flow, STREAM);
    written += lines(flow, WRITTEN);
  }
  if (level < WRITING) written = 0.0;
  prepare(0, poolAt(0), waiting, read * LINE, written * LINE);
  return solve(1, level);
}

/** ns of the busiest direction of the busiest edge. */
export function edgeNs(stage: usize, pools: i32, edges: i32, level: i32): f64 {
  let worst: f64 = 0.0;
  for (let e = 0; e < edges; e++) {
    let read: f64 = 0.0;
    let written: f64 = 0.0;
    for (let i = 0; i < pools; i++) {
      if (((<u32>load<f64>(poolAt(i) + EDGE_MASK)) & (<u32>1 << e)) == 0) continue;
      const flow = stage + 8 + <usize>(i * KINDS * 8);
      read += lines(flow, CHASE) + lines(flow, STRIDE) + lines(flow, STREAM);
      written += lines(flow, WRITTEN);
    }
    if (level >= WRITING && written > read) read = written;
    const ns = (read * LINE) / load<f64>(EDGES + <usize>(e * 16) + 8);
    if (ns > worst) worst = ns;
  }
  return worst;
}

/** Memory ns of a stage with its lines where they were placed, edges wide enough. */
export function placedNs(stage: usize, pools: i32, level: i32): f64 {
  for (let i = 0; i < pools; i++) {
    const flow = stage + 8 + <usize>(i * KINDS * 8);
    const read = lines(flow, CHASE) + lines(flow, STRIDE) + lines(flow, STREAM);
    const written = level < WRITING ? 0.0 : lines(flow, WRITTEN);
    prepare(i, poolAt(i), waits(flow), read * LINE, written * LINE);
  }
  return solve(pools, level);
}
