// One stage from its causes one after another: idle latencies, own bandwidth and load, shared edges, other hosts,
// write-backs. Each term is a difference of the whole solved time, so nothing is charged twice and a cause that is absent
// adds exactly 0.

import { KINDS, STREAM, STRIDE, WRITTEN, longer } from "./layout";
import { busy } from "./machine";
import {
  LOADED,
  SHARED,
  WRITING,
  edgeNs,
  idleSum,
  lines,
  loadedNs,
  localNs,
  placedNs,
  setBase,
  solve,
  take,
} from "./solve";

/** [7]: local and placed ns of the stage, then latency, bandwidth, congestion, write-back and other hosts' terms. */
export const TERMS: usize = memory.data(7 * 8);

export function writes(stage: usize, pools: i32): bool {
  for (let i = 0; i < pools; i++) {
    if (lines(stage + 8 + <usize>(i * KINDS * 8), WRITTEN) > 0.0) return true;
  }
  return false;
}

function keep(near: f64, far: f64, idle: f64, loaded: f64, edged: f64, shared: f64): void {
  store<f64>(TERMS, near);
  store<f64>(TERMS + 8, far);
  store<f64>(TERMS + 16, idle);
  store<f64>(TERMS + 24, loaded - idle);
  store<f64>(TERMS + 32, edged - loaded);
  store<f64>(TERMS + 40, far - near - shared);
  store<f64>(TERMS + 48, shared - edged);
}

/** `traffic`: the longer of compute and memory. */
export function trafficStage(stage: usize, pools: i32, edges: i32, compute: f64): void {
  const dirty = writes(stage, pools);
  const nearLoaded = localNs(stage, pools, LOADED, compute);
  const nearIdle = longer(compute, idleSum);
  const farLoaded = pools == 1 ? nearLoaded : placedNs(stage, pools, LOADED, compute);
  const farIdle = longer(compute, idleSum);
  const farEdged = longer(farLoaded, edgeNs(stage, pools, edges, LOADED, true));
  let nearShared = nearLoaded;
  let farShared = farEdged;
  if (busy) {
    nearShared = localNs(stage, pools, SHARED, compute);
    farShared = longer(placedNs(stage, pools, SHARED, compute), edgeNs(stage, pools, edges, SHARED, true));
  }
  let near = nearShared;
  let far = farShared;
  if (dirty) {
    near = localNs(stage, pools, WRITING, compute);
    far = longer(pools == 1 ? near : placedNs(stage, pools, WRITING, compute), edgeNs(stage, pools, edges, WRITING, true));
  }
  keep(near, far, farIdle - nearIdle, farLoaded - nearLoaded, farEdged - nearLoaded, farShared - nearShared);
}

/** One solution of `stall`: `scale` is waits a stall ns; what did not stall always passes. */
function stalledNs(stage: usize, pools: i32, scale: f64, level: i32): f64 {
  for (let i = 0; i < pools; i++) {
    const flow = stage + 8 + <usize>(i * KINDS * 8);
    take(i, lines(flow, 0) * scale, lines(flow, STRIDE) + lines(flow, STREAM), lines(flow, WRITTEN), level);
  }
  return solve(pools, level, 0.0);
}

function unstalledNs(stall: f64, read: f64, written: f64, scale: f64, level: i32): f64 {
  take(0, stall * scale, read, written, level);
  return solve(1, level, 0.0);
}

/**
 * `stall` (Quartz, Middleware'15; MES): stall ns x the pool's share x (L_far - L_near) / L_near, both loaded; L_near at the
 * load that was measured. A stage is [measured ns, (stall ns, lines, lines, written lines) x pools].
 */
export function stallStage(stage: usize, pools: i32, edges: i32): void {
  const measured = load<f64>(stage);
  let stall: f64 = 0.0;
  let read: f64 = 0.0;
  let written: f64 = 0.0;
  for (let i = 0; i < pools; i++) {
    const flow = stage + 8 + <usize>(i * KINDS * 8);
    stall += lines(flow, 0);
    read += lines(flow, STRIDE) + lines(flow, STREAM);
    written += lines(flow, WRITTEN);
  }
  take(0, 1.0, read, written, WRITING);
  const scale = 1.0 / loadedNs(0, longer(measured, 1e-3));
  setBase(measured > stall ? measured - stall : 0.0);
  const near = unstalledNs(stall, read, written, scale, WRITING);
  const nearLoaded = unstalledNs(stall, read, written, scale, LOADED);
  const nearIdle = idleSum;
  const farLoaded = stalledNs(stage, pools, scale, LOADED);
  const idle = idleSum - nearIdle;
  const farEdged = longer(farLoaded, edgeNs(stage, pools, edges, LOADED, false));
  const nearShared = unstalledNs(stall, read, written, scale, SHARED);
  const farShared = longer(stalledNs(stage, pools, scale, SHARED), edgeNs(stage, pools, edges, SHARED, false));
  const far = longer(stalledNs(stage, pools, scale, WRITING), edgeNs(stage, pools, edges, WRITING, false));
  setBase(0.0);
  keep(near, far, idle, farLoaded - nearLoaded, farEdged - nearLoaded, farShared - nearShared);
}
