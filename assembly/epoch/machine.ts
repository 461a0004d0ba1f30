// What holds for all epochs on one machine, worked out once by `prepare`: costs of a byte, latencies of whole paths, waits a
// line, and the fair share that other hosts leave of each pool and of each direction of each edge (max-min fairness:
// who asks for less than an equal share gets all of it, the rest is split equally; Bertsekas and Gallager, Data Networks, 6.5.2).

import {
  EDGES,
  EDGE_MASK,
  HOST,
  LOADS,
  MIXED_GBPS,
  READ_GBPS,
  WRITE_GBPS,
  longer,
  poolAt,
} from "./layout";

/** [3]: 1 / (N * threads) for chase, stride and stream. */
export const WAIT: usize = memory.data(3 * 8);
/** [pools, 6]: ns a byte read, mixed and written; ns of its edges; 1 / fair share; load of other hosts (1 = all of it). */
const READY: usize = memory.data(16 * 6 * 8);
/** [edges, 4]: ns a byte towards the host and away from it, alone; the same at the share that other hosts leave. */
const EDGE_READY: usize = memory.data(32 * 4 * 8);

export let busy: bool = false;

// @ts-ignore: decorator
@inline
export function readyAt(pool: i32): usize {
  return READY + <usize>(pool * 48);
}

// @ts-ignore: decorator
@inline
export function edgeReadyAt(edge: i32): usize {
  return EDGE_READY + <usize>(edge * 32);
}

/**
 * ns that `read` and `written` bytes take at the pool's bandwidth for their mix. The cost of a byte is linear between
 * reads only, half and half, and writes only: equal parts move at the mixed rate, the rest at its own.
 */
export function transferNs(ready: usize, read: f64, written: f64): f64 {
  if (read >= written) return written * load<f64>(ready + 8) + (read - written) * load<f64>(ready);
  return read * load<f64>(ready + 8) + (written - read) * load<f64>(ready + 16);
}

/** Which part of what it asks of a pool (edge < 0) or of a direction of an edge load `i` would use up; 0 = does not cross it. */
function demand(i: i32, pool: i32, edge: i32, away: bool): f64 {
  const at = LOADS + <usize>(i * 32);
  if (edge >= 0) {
    if ((<u32>load<f64>(at + 24) & (<u32>1 << edge)) == 0) return 0.0;
    return load<f64>(at + (away ? 16 : 8)) / load<f64>(EDGES + <usize>(edge * 16) + 8);
  }
  return <i32>load<f64>(at) == pool ? transferNs(readyAt(pool), load<f64>(at + 8), load<f64>(at + 16)) : 0.0;
}

let asked: f64 = 0.0;

/** Our share when we ask for everything: s = 1 - sum of min(demand, s), found from below. Leaves the sum of demands in `asked`. */
function fairShare(loads: i32, pool: i32, edge: i32, away: bool): f64 {
  let share: f64 = 0.0;
  for (let pass = 0; pass <= loads; pass++) {
    let rest: f64 = 1.0;
    let equal: f64 = 1.0;
    asked = 0.0;
    for (let i = 0; i < loads; i++) {
      const wants = demand(i, pool, edge, away);
      asked += wants;
      if (wants > share) equal += 1.0;
      else rest -= wants;
    }
    share = longer(share, rest / equal);
  }
  return share;
}

function preparePool(pool: i32, edges: i32, loads: i32): void {
  const at = poolAt(pool);
  const ready = readyAt(pool);
  store<f64>(ready, 1.0 / load<f64>(at + READ_GBPS));
  store<f64>(ready + 8, 2.0 / load<f64>(at + MIXED_GBPS));
  store<f64>(ready + 16, 1.0 / load<f64>(at + WRITE_GBPS));
  const mask = <u32>load<f64>(at + EDGE_MASK);
  let ns: f64 = 0.0;
  for (let e = 0; e < edges; e++) if (mask & (<u32>1 << e)) ns += load<f64>(EDGES + <usize>(e * 16));
  store<f64>(ready + 24, ns);
  store<f64>(ready + 32, 1.0 / fairShare(loads, pool, -1, false));
  store<f64>(ready + 40, asked);
}

/** Takes over host, pools, curves, edges and loads as they are in memory. */
export function prepareMachine(pools: i32, edges: i32, loads: i32): void {
  for (let i = 0; i < 3; i++) {
    const lines = load<f64>(HOST + 8 + (<usize>i << 3)) * load<f64>(HOST);
    store<f64>(WAIT + (<usize>i << 3), 1.0 / lines);
  }
  for (let i = 0; i < pools; i++) preparePool(i, edges, loads);
  for (let e = 0; e < edges; e++) {
    const ready = edgeReadyAt(e);
    const alone = 1.0 / load<f64>(EDGES + <usize>(e * 16) + 8);
    store<f64>(ready, alone);
    store<f64>(ready + 8, alone);
    store<f64>(ready + 16, alone / fairShare(loads, 0, e, false));
    store<f64>(ready + 24, alone / fairShare(loads, 0, e, true));
  }
  busy = loads > 0;
}
