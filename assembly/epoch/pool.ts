// One memory under load: how long one line takes at a utilisation, from a family of curves by share of writes or from a
// queue. Only + - * / and comparisons, so every engine computes the same bits.

import { CURVES, CURVE_COUNT, CURVE_ENTRY, CURVE_TABLE, QUEUE_NS, READ_NS, WRITE_NS } from "./layout";

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

/** Added ns of one curve at utilisation u of its own peak. */
function curveNs(entry: usize, u: f64): f64 {
  let at = CURVES + <usize>load<f64>(entry + 8) * 16;
  const last = at + (<usize>load<f64>(entry + 16) - 1) * 16;
  const bandwidth = u * load<f64>(last);
  if (bandwidth <= load<f64>(at)) return load<f64>(at + 8);
  if (bandwidth >= load<f64>(last)) return load<f64>(last + 8);
  while (load<f64>(at + 16) < bandwidth) at += 16;
  const x = load<f64>(at);
  const y = load<f64>(at + 8);
  return y + ((load<f64>(at + 24) - y) * (bandwidth - x)) / (load<f64>(at + 16) - x);
}

/** What load adds to the latency at utilisation u in 0..1: both curves read at u of their own peaks, or a queue. */
export function queueingNs(pool: usize, first: usize, second: usize, part: f64, u: f64): f64 {
  if (first == 0) {
    const v = u / QUEUE_HEADROOM;
    return (load<f64>(pool + QUEUE_NS) * v) / (1.0 - v);
  }
  const ns = curveNs(first, u);
  return part == 0.0 ? ns : ns + part * (curveNs(second, u) - ns);
}
