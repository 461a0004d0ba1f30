// The delay models over epochs: `traffic` (an epoch is a row of stages, a stage takes the longer of its compute and its memory
// time) and `stall`, one epoch with stages or many at a time; `camp` and `cxlmemsim` are functions of counters. The delay
// is the time under a placement less the time with everything local. ABI: docs/epoch-abi.md.

import {
  CURVES,
  EACH,
  EDGES,
  HOST,
  KINDS,
  LOADS,
  LOCAL,
  MAX_EACH,
  MAX_EDGES,
  MAX_LOADS,
  MAX_POOLS,
  POOLS,
  RESULT,
  STAGES,
  STAGE_NUMBERS,
  longer,
  stageAt,
} from "./layout";
import { prepareMachine } from "./machine";
import { WRITING, clearResidual, loadedNs, localNs, residual, take } from "./solve";
import { TERMS, stallStage, trafficStage } from "./stage";

export * from "./camp";
export * from "./cxlmemsim";

export function hostAt(): usize {
  return HOST;
}

export function poolsAt(): usize {
  return POOLS;
}

export function curvesAt(): usize {
  return CURVES;
}

export function edgesAt(): usize {
  return EDGES;
}

export function loadsAt(): usize {
  return LOADS;
}

export function stagesAt(): usize {
  return STAGES;
}

export function resultAt(): usize {
  return RESULT;
}

export function eachAt(): usize {
  return EACH;
}

/** How many stages of that many pools one call takes. */
export function maxStages(pools: i32): i32 {
  return STAGE_NUMBERS / (1 + KINDS * pools);
}

/** How many epochs of that many pools one call of `evaluateEach` takes. */
export function maxEach(pools: i32): i32 {
  const stages = maxStages(pools);
  return stages < MAX_EACH ? stages : MAX_EACH;
}

/** Takes over host, pools, curves, edges and loads; must follow every change of them. Returns 0 or which count is wrong. */
export function prepare(pools: i32, edges: i32, loads: i32): i32 {
  if (pools < 1 || pools > MAX_POOLS) return 1;
  if (edges < 0 || edges > MAX_EDGES) return 2;
  if (loads < 0 || loads > MAX_LOADS) return 4;
  prepareMachine(pools, edges, loads);
  return 0;
}

/** Loaded latency of a pool that moves `readGBps` and `writtenGBps` for this host, others' load included. */
export function latencyNs(pool: i32, readGBps: f64, writtenGBps: f64): f64 {
  // a second of 1e9 ns moves GB/s x 1e9 bytes
  take(pool, 1.0, (readGBps * 1e9) / 64.0, (writtenGBps * 1e9) / 64.0, WRITING);
  return loadedNs(pool, 1e9);
}

/** All-local ns of the epoch when compute takes `scale` times what the stages say. */
function localTotal(pools: i32, stages: i32, scale: f64): f64 {
  let sum: f64 = 0.0;
  for (let s = 0; s < stages; s++) {
    sum += longer(scale * load<f64>(stageAt(s, pools)), load<f64>(LOCAL + (<usize>s << 3)));
  }
  return sum;
}

/**
 * How much slower the kernels were than the stages say: the factor, at least 1, at which the all-local time is what was
 * measured. A slower kernel hides more of the memory's time.
 */
function computeScale(pools: i32, stages: i32): f64 {
  const measured = load<f64>(HOST + 32);
  if (measured <= localTotal(pools, stages, 1.0)) return 1.0;
  let compute: f64 = 0.0;
  for (let s = 0; s < stages; s++) compute += load<f64>(stageAt(s, pools));
  if (compute == 0.0) return 1.0;
  let low: f64 = 1.0;
  let high = measured / compute;
  while (high - low > 1e-12 * high) {
    const middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) break;
    if (localTotal(pools, stages, middle) < measured) low = middle;
    else high = middle;
  }
  return high;
}

// @ts-ignore: decorator
@inline
function add(at: usize, term: usize): void {
  store<f64>(RESULT + at, load<f64>(RESULT + at) + load<f64>(TERMS + term));
}

/**
 * Evaluates the stages in memory as one epoch; pool 0 is the local one. Returns 0, or what is wrong with the counts: 1
 * pools, 2 edges, 3 stages.
 */
export function evaluate(pools: i32, edges: i32, stages: i32): i32 {
  if (pools < 1 || pools > MAX_POOLS) return 1;
  if (edges < 0 || edges > MAX_EDGES) return 2;
  if (stages < 0 || stages > maxStages(pools)) return 3;
  clearResidual();
  memory.fill(RESULT, 0, 72);
  for (let s = 0; s < stages; s++) store<f64>(LOCAL + (<usize>s << 3), localNs(stageAt(s, pools), pools, WRITING, 0.0));
  const scale = computeScale(pools, stages);
  for (let s = 0; s < stages; s++) {
    const stage = stageAt(s, pools);
    trafficStage(stage, pools, edges, scale * load<f64>(stage));
    add(0, 0);
    add(8, 8);
    add(24, 16);
    add(32, 24);
    add(40, 32);
    add(48, 40);
    add(64, 48);
  }
  store<f64>(RESULT + 16, load<f64>(RESULT + 8) - load<f64>(RESULT));
  store<f64>(RESULT + 56, residual);
  return 0;
}

/** As `evaluate`, but each stage is an epoch of its own: model 0 is `traffic`, 1 `stall`. Results go to `eachAt`. */
export function evaluateEach(model: i32, pools: i32, edges: i32, epochs: i32): i32 {
  if (pools < 1 || pools > MAX_POOLS) return 1;
  if (edges < 0 || edges > MAX_EDGES) return 2;
  if (epochs < 0 || epochs > maxEach(pools)) return 3;
  for (let s = 0; s < epochs; s++) {
    const stage = stageAt(s, pools);
    clearResidual();
    if (model == 0) trafficStage(stage, pools, edges, load<f64>(stage));
    else stallStage(stage, pools, edges);
    const out = EACH + (<usize>s << 6);
    memory.copy(out, TERMS, 56);
    store<f64>(out + 56, residual);
  }
  return 0;
}
