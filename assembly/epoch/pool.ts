// One memory under load: how long one line takes at a utilisation, from a family of curves by share of writes or from a
// queue. Only + - * / and comparisons, so every engine computes the same bits.

import {
  CURVES,
  CURVE_COUNT,
  CURVE_ENTRY,
  CURVE_TABLE,
  HINTS,
  MAX_CURVES,
  QUEUE_NS,
  READ_NS,
  WRITE_NS,
} from "./layout";

/** Capacity over peak of the one-parameter queue: fits published loaded latencies to 4-8 % (an A1000 expander, 8 mixes). */
const QUEUE_HEADROOM: f64 = 1.2;

/** Latency without load: the pool's own, the edges before it, and reads held up behind slower writes by their share. */
export function idleNs(pool: usize, pathNs: f64, read: f64, written: f64): f64 {
  let ns = load<f64>(pool + READ_NS);
  const slower = load<f64>(pool + WRITE_NS) - ns;
  if (slower > 0.0 && written > 0.0) ns += (slower * written) / (read + written);
  return ns + pathNs;
}

// The two curves that stand beside the mix last asked for, and how far the mix is from the first to the second.
export let lower: usize = 0;
export let upper: usize = 0;
export let between: f64 = 0.0;

/** Picks the curves for a share of writes; outside the family the nearest curve counts. 0 = the pool has none. */
export function pickCurves(pool: usize, read: f64, written: f64): void {
  const count = <i32>load<f64>(pool + CURVE_COUNT);
  lower = upper = 0;
  between = 0.0;
  if (count == 0) return;
  const share = written > 0.0 ? written / (read + written) : 0.0;
  let at = pool + CURVE_TABLE;
  lower = upper = at;
  for (let i = 1; i < count && load<f64>(at) < share; i++) {
    lower = at;
    at += CURVE_ENTRY;
    upper = at;
  }
  const from = load<f64>(lower);
  const to = load<f64>(upper);
  if (to <= from || share <= from) upper = lower;
  else if (share >= to) lower = upper;
  else between = (share - from) / (to - from);
}

/** The most that load can add to a pool's latency: the ends of its curves, or the queue at its peak. */
export function mostAddedNs(pool: usize): f64 {
  const count = <i32>load<f64>(pool + CURVE_COUNT);
  if (count == 0) return load<f64>(pool + QUEUE_NS) / (QUEUE_HEADROOM - 1.0);
  let most: f64 = 0.0;
  for (let i = 0; i < count; i++) {
    const entry = pool + CURVE_TABLE + <usize>i * CURVE_ENTRY;
    const last = load<f64>(entry + 8) + load<f64>(entry + 16) - 1.0;
    const added = load<f64>(CURVES + (<usize>last << 4) + 8);
    if (added > most) most = added;
  }
  return most;
}

/** Steps of every curve of a pool that were used last, so that a search for the root finds its next step at once. */
export function resetHints(pool: usize): void {
  memory.fill(pool + HINTS, 0, <usize>MAX_CURVES << 3);
}

/** How fast what was read last grows with u. */
export let slope: f64 = 0.0;

/** Added ns of one curve at utilisation u of its own peak; leaves its slope. */
function curveNs(pool: usize, entry: usize, u: f64): f64 {
  const first = CURVES + <usize>load<f64>(entry + 8) * 16;
  const last = first + (<usize>load<f64>(entry + 16) - 1) * 16;
  const peak = load<f64>(last);
  const bandwidth = u * peak;
  slope = 0.0;
  if (bandwidth <= load<f64>(first)) return load<f64>(first + 8);
  if (bandwidth >= load<f64>(last)) return load<f64>(last + 8);
  const hint = pool + HINTS + (((entry - pool - CURVE_TABLE) / CURVE_ENTRY) << 3);
  let at = first + <usize>load<u32>(hint);
  while (load<f64>(at + 16) < bandwidth) at += 16;
  while (load<f64>(at) > bandwidth) at -= 16;
  store<u32>(hint, <u32>(at - first));
  const x = load<f64>(at);
  const y = load<f64>(at + 8);
  const rise = (load<f64>(at + 24) - y) / (load<f64>(at + 16) - x);
  slope = rise * peak;
  return y + rise * (bandwidth - x);
}

/** What load adds to the latency at utilisation u in 0..1: both curves read at u of their own peaks, or a queue. */
export function queueingNs(pool: usize, first: usize, second: usize, part: f64, u: f64): f64 {
  if (first == 0) {
    const v = u / QUEUE_HEADROOM;
    const queue = load<f64>(pool + QUEUE_NS) / (1.0 - v);
    slope = queue / (QUEUE_HEADROOM * (1.0 - v));
    return queue * v;
  }
  const ns = curveNs(pool, first, u);
  if (part == 0.0) return ns;
  const rise = slope;
  const other = curveNs(pool, second, u);
  slope = rise + part * (slope - rise);
  return ns + part * (other - ns);
}
