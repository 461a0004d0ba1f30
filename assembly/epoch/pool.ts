// One memory under load: how long its bytes take at its own bandwidth, and how long one line takes at a utilisation.
// Only + - * / and comparisons, so every engine computes the same bits.

import {
  CURVE,
  EDGES,
  EDGE_MASK,
  MIXED_GBPS,
  POINTS,
  QUEUE_NS,
  READ_GBPS,
  READ_NS,
  WRITE_GBPS,
  WRITE_NS,
} from "./layout";

/** Capacity over peak of the one-parameter queue: fits published loaded latencies to 4-8 % (an A1000 expander, 8 mixes). */
const QUEUE_HEADROOM: f64 = 1.2;

/**
 * ns that `read` and `written` bytes take at the pool's bandwidth for their mix. The cost of a byte is linear between
 * reads only, half and half, and writes only: equal parts move at the mixed rate, the rest at its own.
 */
export function transferNs(pool: usize, read: f64, written: f64): f64 {
  if (read >= written) {
    return (2.0 * written) / load<f64>(pool + MIXED_GBPS) + (read - written) / load<f64>(pool + READ_GBPS);
  }
  return (2.0 * read) / load<f64>(pool + MIXED_GBPS) + (written - read) / load<f64>(pool + WRITE_GBPS);
}

/** Latency without load: the pool's own, the edges before it, and reads held up behind slower writes by their share. */
export function idleNs(pool: usize, read: f64, written: f64): f64 {
  let ns = load<f64>(pool + READ_NS);
  const slower = load<f64>(pool + WRITE_NS) - ns;
  if (slower > 0.0 && written > 0.0) ns += (slower * written) / (read + written);
  let mask = <u32>load<f64>(pool + EDGE_MASK);
  let edge = EDGES;
  while (mask != 0) {
    if (mask & 1) ns += load<f64>(edge);
    mask >>= 1;
    edge += 16;
  }
  return ns;
}

/** What load adds to the latency at utilisation u in 0..1: the pool's curve, or a queue where it has none. */
export function queueingNs(pool: usize, u: f64): f64 {
  const points = <i32>load<f64>(pool + POINTS);
  if (points == 0) {
    const v = u / QUEUE_HEADROOM;
    return (load<f64>(pool + QUEUE_NS) * v) / (1.0 - v);
  }
  let at = pool + CURVE;
  const last = at + (<usize>(points - 1)) * 16;
  const bandwidth = u * load<f64>(last);
  if (bandwidth <= load<f64>(at)) return load<f64>(at + 8);
  if (bandwidth >= load<f64>(last)) return load<f64>(last + 8);
  while (load<f64>(at + 16) < bandwidth) at += 16;
  const x = load<f64>(at);
  const y = load<f64>(at + 8);
  return y + ((load<f64>(at + 24) - y) * (bandwidth - x)) / (load<f64>(at + 16) - x);
}
