// The delay model `traffic`: an epoch is a row of stages, a stage takes the longer of its compute and its memory time, and
// the delay is its time under a placement less its time with everything local. ABI: docs/epoch-abi.md.

import {
  EDGES,
  HOST,
  KINDS,
  LOCAL,
  MAX_EDGES,
  MAX_POOLS,
  POOLS,
  RESULT,
  STAGES,
  STAGE_NUMBERS,
  WRITTEN,
  stageAt,
} from "./layout";
import { IDLE, LOADED, WRITING, clearResidual, edgeNs, localNs, placedNs, residual } from "./solve";

export function hostAt(): usize {
  return HOST;
}

export function poolsAt(): usize {
  return POOLS;
}

export function edgesAt(): usize {
  return EDGES;
}

export function stagesAt(): usize {
  return STAGES;
}

export function resultAt(): usize {
  return RESULT;
}

/** How many stages of that many pools one call takes. */
export function maxStages(pools: i32): i32 {
  return STAGE_NUMBERS / (1 + KINDS * pools);
}

// @ts-ignore: decorator
@inline
function longer(a: f64, b: f64): f64 {
  return a > b ? a : b;
}

function writes(stage: usize, pools: i32): bool {
  for (let i = 0; i < pools; i++) {
    if (load<f64>(stage + 8 + (<usize>(i * KINDS + WRITTEN) << 3)) > 0.0) return true;
  }
  return false;
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
function add(at: usize, ns: f64): void {
  store<f64>(RESULT + at, load<f64>(RESULT + at) + ns);
}

/**
 * Adds one stage to the result. Terms are differences of the whole solved time as causes come in one after another:
 * latencies, own bandwidth and load, shared edges, write-backs. They are taken stage by stage, so that a cause that is
 * absent adds exactly 0.
 */
function addStage(stage: usize, pools: i32, edges: i32, compute: f64, localMemory: f64): void {
  const dirty = writes(stage, pools);
  const near = longer(compute, localMemory);
  const nearIdle = longer(compute, localNs(stage, pools, IDLE));
  const nearLoaded = dirty ? longer(compute, localNs(stage, pools, LOADED)) : near;
  const farIdle = longer(compute, placedNs(stage, pools, IDLE));
  const farLoaded = longer(compute, placedNs(stage, pools, LOADED));
  const farEdged = longer(farLoaded, edgeNs(stage, pools, edges, LOADED));
  let far = farEdged;
  if (dirty) far = longer(longer(compute, placedNs(stage, pools, WRITING)), edgeNs(stage, pools, edges, WRITING));
  const idle = farIdle - nearIdle;
  const loaded = farLoaded - nearLoaded;
  const edged = farEdged - nearLoaded;
  add(0, near);
  add(8, far);
  add(24, idle);
  add(32, loaded - idle);
  add(40, edged - loaded);
  add(48, far - near - edged);
}

/**
 * Evaluates the stages in memory; pool 0 is the local one. Returns 0, or what is wrong with the counts: 1 pools, 2 edges,
 * 3 stages.
 */
export function evaluate(pools: i32, edges: i32, stages: i32): i32 {
  if (pools < 1 || pools > MAX_POOLS) return 1;
  if (edges < 0 || edges > MAX_EDGES) return 2;
  if (stages < 0 || stages > maxStages(pools)) return 3;
  clearResidual();
  memory.fill(RESULT, 0, 64);
  for (let s = 0; s < stages; s++) store<f64>(LOCAL + (<usize>s << 3), localNs(stageAt(s, pools), pools, WRITING));
  const scale = computeScale(pools, stages);
  for (let s = 0; s < stages; s++) {
    const stage = stageAt(s, pools);
    addStage(stage, pools, edges, scale * load<f64>(stage), load<f64>(LOCAL + (<usize>s << 3)));
  }
  store<f64>(RESULT + 16, load<f64>(RESULT + 8) - load<f64>(RESULT));
  store<f64>(RESULT + 56, residual);
  return 0;
}
