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
import { mostAddedNs, resetHints } from "./pool";

/** [3]: 1 / (N * threads) for chase, stride and stream. */
export const WAIT: usize = memory.data(3 * 8);
/** [pools, 8]: ns a byte read, mixed and written; ns of its edges; 1 / fair share; load of other hosts (1 = all of it); most load; most ns added by it. */
const READY: usize = memory.data(16 * 8 * 8);
/** [edges, 6]: ns a byte towards the host and away from it, alone; at the share that others leave us; at what one of them gets without us. */
const EDGE_READY: usize = memory.data(32 * 6 * 8);

export let busy: bool = false;

// @ts-ignore: decorator
@inline
export function readyAt(pool: i32): usize {
  return READY + <usize>(pool * 64);
}

// @ts-ignore: decorator
@inline
export function edgeReadyAt(edge: i32): usize {
  return EDGE_READY + <usize>(edge * 48);
}

/**
 * ns that `read` and `written` bytes take at the pool's bandwidth for their mix. The cost of a byte is linear between
 * reads only, half and half, and writes only: equal parts move at the mixed rate, the rest at its own.
 */
export function transferNs(ready: usize, read: f64, written: f64): f64 {
  if (read >= written) return written * load<f64>(ready + 8) + (read - written) * load<f64>(ready);
  return read * load<f64>(ready + 8) + (written - read) * load<f64>(ready + 16);
}

/** GB/s of load `i` in one direction over its narrowest link: all of it, or (`fair`) the share it keeps beside us. */
function flow(i: i32, edges: i32, away: bool, fair: bool): f64 {
  const at = LOADS + <usize>(i * 32);
  let asks = load<f64>(at + (away ? 16 : 8));
  const mask = <u32>load<f64>(at + 24);
  for (let e = 0; e < edges; e++) {
    if ((mask & (<u32>1 << e)) == 0) continue;
    const most = 1.0 / load<f64>(edgeReadyAt(e) + (fair ? 16 : 32) + (away ? 8 : 0));
    if (asks > most) asks = most;
  }
  return asks;
}

/** The part of a pool that load `i` asks for; 0 = it uses another one. */
function poolDemand(i: i32, pool: i32, edges: i32, fair: bool): f64 {
  if (<i32>load<f64>(LOADS + <usize>(i * 32)) != pool) return 0.0;
  return transferNs(readyAt(pool), flow(i, edges, false, fair), flow(i, edges, true, fair));
}

/** The part of one direction of an edge that load `i` asks for; 0 = it does not cross it. */
function edgeDemand(i: i32, edge: i32, away: bool): f64 {
  const at = LOADS + <usize>(i * 32);
  if ((<u32>load<f64>(at + 24) & (<u32>1 << edge)) == 0) return 0.0;
  return load<f64>(at + (away ? 16 : 8)) / load<f64>(EDGES + <usize>(edge * 16) + 8);
}

/**
 * The most that anybody gets of a pool (edge < 0) or of an edge: s = 1 - sum of min(demand, s), found from below, when we ask
 * for everything (`ours` 1); without us (0) the level at which the others share it.
 */
function fairShare(loads: i32, edges: i32, pool: i32, edge: i32, away: bool, ours: f64): f64 {
  let share: f64 = 0.0;
  for (let pass = 0; pass <= loads; pass++) {
    let rest: f64 = 1.0;
    let equal = ours;
    for (let i = 0; i < loads; i++) {
      const wants = edge < 0 ? poolDemand(i, pool, edges, true) : edgeDemand(i, edge, away);
      if (wants > share) equal += 1.0;
      else rest -= wants;
    }
    if (equal == 0.0) return 1.0;
    share = longer(share, rest / equal);
  }
  return share;
}

/** Most that we and the others together can ask of a pool: over each of its links all that crosses it is at most the link's rate. */
function fullest(pool: i32, edges: i32, loads: i32): f64 {
  const mask = <u32>load<f64>(poolAt(pool) + EDGE_MASK);
  let most: f64 = 1.0;
  for (let e = 0; e < edges; e++) {
    if ((mask & (<u32>1 << e)) == 0) continue;
    const rate = load<f64>(EDGES + <usize>(e * 16) + 8);
    let sum = transferNs(readyAt(pool), rate, 0.0);
    for (let i = 0; i < loads; i++) {
      const crosses = <u32>load<f64>(LOADS + <usize>(i * 32) + 24) & (<u32>1 << e);
      if (crosses == 0) sum += poolDemand(i, pool, edges, false);
    }
    if (sum < most) most = sum;
  }
  return most;
}

function preparePool(pool: i32, edges: i32, loads: i32): void {
  const at = poolAt(pool);
  const ready = readyAt(pool);
  store<f64>(ready, 1.0 / load<f64>(at + READ_GBPS));
  store<f64>(ready + 8, 2.0 / load<f64>(at + MIXED_GBPS));
  store<f64>(ready + 16, 1.0 / load<f64>(at + WRITE_GBPS));
  resetHints(at);
  store<f64>(ready + 56, mostAddedNs(at));
  const mask = <u32>load<f64>(at + EDGE_MASK);
  let ns: f64 = 0.0;
  for (let e = 0; e < edges; e++) if (mask & (<u32>1 << e)) ns += load<f64>(EDGES + <usize>(e * 16));
  store<f64>(ready + 24, ns);
  store<f64>(ready + 32, 1.0 / fairShare(loads, edges, pool, -1, false, 1.0));
  let others: f64 = 0.0;
  for (let i = 0; i < loads; i++) others += poolDemand(i, pool, edges, false);
  store<f64>(ready + 40, others);
  store<f64>(ready + 48, fullest(pool, edges, loads));
}

/** Takes over host, pools, curves, edges and loads as they are in memory. */
export function prepareMachine(pools: i32, edges: i32, loads: i32): void {
  for (let i = 0; i < 3; i++) {
    const lines = load<f64>(HOST + 8 + (<usize>i << 3)) * load<f64>(HOST);
    store<f64>(WAIT + (<usize>i << 3), 1.0 / lines);
  }
  for (let e = 0; e < edges; e++) {
    const ready = edgeReadyAt(e);
    const alone = 1.0 / load<f64>(EDGES + <usize>(e * 16) + 8);
    store<f64>(ready, alone);
    store<f64>(ready + 8, alone);
    for (let away = 0; away < 2; away++) {
      const at = ready + (<usize>away << 3);
      store<f64>(at + 16, alone / fairShare(loads, edges, 0, e, away != 0, 1.0));
      store<f64>(at + 32, alone / fairShare(loads, edges, 0, e, away != 0, 0.0));
    }
  }
  for (let i = 0; i < pools; i++) preparePool(i, edges, loads);
  busy = loads > 0;
}
