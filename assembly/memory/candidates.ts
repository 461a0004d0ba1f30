// The pages that score highest under a policy: what should come near, and what should leave.

import * as state from "./page-state";
import {
  AGE, BEFORE, BORN, COLD, EPOCH_READS, EPOCH_WRITES, HITS, HOT, LAST, MAX_MOVES, POOL, TOTAL, WINDOW, page, parameter,
} from "./page-state";

export const FREQUENCY: i32 = 1;
export const HEAT: i32 = 2;
export const LIFETIME: i32 = 3;
export const HYBRID: i32 = 4;
export const LOAD_BALANCE: i32 = 5;
export const LOCALITY: i32 = 6;
export const TPP: i32 = 7;
export const COLLOID: i32 = 8;

/** The best pages found so far, highest score first: page i32, score f64. */
const BEST: usize = memory.data(512 * 16);
export let found: i32 = 0;

/** The page at a rank of the last selection. */
export function bestPage(rank: i32): i32 {
  return load<i32>(BEST + (<usize>rank << 4));
}

// @ts-ignore: decorator
@inline
function heat(at: usize): f64 {
  return load<f64>(at + EPOCH_READS) + load<f64>(at + EPOCH_WRITES);
}

/** Above 0: should come near. */
function promotion(policy: i32, at: usize): f64 {
  const window = load<f64>(at + WINDOW);
  const total = load<f64>(at + TOTAL);
  switch (policy) {
    case FREQUENCY:
      return window > parameter(HOT) ? window : 0.0;
    case HEAT:
      return total > parameter(HOT) ? total : 0.0;
    case LIFETIME: {
      const age = <f64>(state.epoch - load<i32>(at + BORN));
      return age >= parameter(AGE) ? age : 0.0;
    }
    case HYBRID:
      return window > parameter(HOT) || total > parameter(HOT) ? total : 0.0;
    case LOCALITY:
      return heat(at) >= parameter(HITS) ? heat(at) : 0.0;
    case TPP: {
      // Linux promotes at the second of two hint faults: touched in this epoch and in the one before.
      const twice = load<i32>(at + LAST) == state.epoch && load<i32>(at + BEFORE) == state.epoch - 1;
      return twice && state.epoch > 0 ? heat(at) : 0.0;
    }
    default:
      return heat(at);
  }
}

/** Above 0: should leave near memory even if nobody wants its place. */
function demotion(policy: i32, at: usize): f64 {
  switch (policy) {
    case FREQUENCY:
    case HYBRID:
      return load<f64>(at + WINDOW) < parameter(COLD) ? parameter(COLD) - load<f64>(at + WINDOW) : 0.0;
    case TPP:
      return <f64>(state.epoch - load<i32>(at + LAST)) + 1.0;
    default:
      return heat(at);
  }
}

function offer(index: i32, score: f64, most: i32): void {
  if (found == most && score <= load<f64>(BEST + (<usize>(most - 1) << 4), 8)) return;
  let at = found < most ? found++ : most - 1;
  while (at > 0 && load<f64>(BEST + (<usize>(at - 1) << 4), 8) < score) {
    memory.copy(BEST + (<usize>at << 4), BEST + (<usize>(at - 1) << 4), 16);
    at--;
  }
  store<i32>(BEST + (<usize>at << 4), index);
  store<f64>(BEST + (<usize>at << 4), score, 8);
}

/** Best pages of pool `from` (-1: any but the near one) by a policy's score. */
export function select(policy: i32, from: i32, up: bool, most: i32): void {
  found = 0;
  if (most <= 0) return;
  for (let i = 0; i < state.pages; i++) {
    const at = page(i);
    const home = load<i32>(at + POOL);
    if (home < 0 || (from < 0 ? home == 0 : home != from)) continue;
    const score = up ? promotion(policy, at) : demotion(policy, at);
    if (score > 0.0) offer(i, score, most);
  }
}

/** Every page without a home, by all its lines: for the static oracle. */
export function selectHomeless(): void {
  found = 0;
  for (let i = 0; i < state.pages; i++) {
    if (load<i32>(page(i) + POOL) == state.pools) offer(i, load<f64>(page(i) + TOTAL) + 1.0, MAX_MOVES);
  }
}
