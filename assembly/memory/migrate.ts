// Which pages move at the end of an epoch. A policy is a score for coming near and one for leaving it; the highest scores move,
// as many as the budget allows. Ties go to the lower page, so every engine moves the same pages.

import {
  COLLOID, FREQUENCY, HEAT, HYBRID, LIFETIME, LOAD_BALANCE, LOCALITY, TPP, bestPage, found, select, selectHomeless,
} from "./candidates";
import { dropCopy } from "./far-cache";
import * as state from "./page-state";
import {
  BUDGET, CAPACITY, CLEAR, EPOCH_READS, EPOCH_WRITES, LINES, LOADED_NS, MAX_MOVES, MIGRATION, PAGE_LINES, POOL, TOLERANCE, TOTAL, USED,
  WATERMARK, WINDOW, page, parameter, pool,
} from "./page-state";

/** CXLMemSim moves five pages for a balance. */
const BALANCE_MOVES: i32 = 5;

let moves: i32 = 0;

// @ts-ignore: decorator
@inline
function free(index: i32): f64 {
  return load<f64>(pool(index) + CAPACITY) - load<f64>(pool(index) + USED);
}

/** A far pool with room, the emptiest first; -1 when there is none. */
function refuge(): i32 {
  let best = -1;
  for (let i = 1; i < state.pools; i++) if (free(i) > 0.0 && (best < 0 || free(i) > free(best))) best = i;
  return best;
}

function left(): i32 {
  return min(i32(parameter(BUDGET)), MAX_MOVES) - moves;
}

/** Moves a page: its bytes are read in one pool and written in the other. */
function move(index: i32, to: i32): void {
  const at = page(index);
  const from = load<i32>(at + POOL);
  dropCopy(index);
  store<f64>(pool(from) + USED, load<f64>(pool(from) + USED) - 1.0);
  state.put(index, to);
  state.addLines(from, state.MOVED_OUT, parameter(PAGE_LINES));
  state.addLines(to, state.MOVED_IN, parameter(PAGE_LINES));
  const record = state.movesAt + <usize>moves * 24;
  store<f64>(record, <f64>index);
  store<f64>(record, <f64>from, 8);
  store<f64>(record, <f64>to, 16);
  moves++;
}

/** The near page with the fewest lines in its window, less than `than`; -1 when there is none. */
function coldest(than: f64): i32 {
  let best = -1;
  let least = than;
  for (let i = 0; i < state.pages; i++) {
    const at = page(i);
    if (load<i32>(at + POOL) == 0 && load<f64>(at + WINDOW) < least) {
      best = i;
      least = load<f64>(at + WINDOW);
    }
  }
  return best;
}

function demote(policy: i32, most: i32): void {
  select(policy, 0, false, most);
  for (let i = 0; i < found; i++) {
    const to = refuge();
    if (to < 0) return;
    move(bestPage(i), to);
  }
}

/** Brings the best far pages near; where near is full, `exchange` lets a page push out one that was touched less. */
function promote(policy: i32, exchange: bool): void {
  select(policy, -1, true, left());
  const wanted = found;
  for (let i = 0; i < wanted && left() > 0; i++) {
    const index = bestPage(i);
    if (free(0) <= 0.0) {
      const out = exchange && left() > 1 ? coldest(load<f64>(page(index) + WINDOW)) : -1;
      const to = refuge();
      if (out < 0) return;
      // No pool has room: the two pages change places.
      if (to < 0) move(out, load<i32>(page(index) + POOL));
      else move(out, to);
    }
    move(index, 0);
  }
}

/** Lines that the program moved in a pool in this epoch. */
function traffic(index: i32): f64 {
  const at = LINES + <usize>index * 48;
  return load<f64>(at) + load<f64>(at, 8);
}

/** CXLMemSim's: five pages from the most to the least loaded pool when their loads differ by more than the tolerance. */
function balanceLoad(): void {
  let most = 0;
  let least = 0;
  for (let i = 1; i < state.pools; i++) {
    if (traffic(i) > traffic(most)) most = i;
    if (traffic(i) < traffic(least)) least = i;
  }
  if (traffic(most) - traffic(least) <= parameter(TOLERANCE) * traffic(most)) return;
  select(LOAD_BALANCE, most, false, min(left(), BALANCE_MOVES));
  for (let i = 0; i < found && free(least) > 0.0; i++) move(bestPage(i), least);
}

/** Colloid's (SOSP'24): hot pages move from the memory with the longer loaded latency to the other. */
function balanceLatency(): void {
  const near = load<f64>(pool(0) + LOADED_NS);
  let far = Infinity;
  for (let i = 1; i < state.pools; i++) far = min(far, load<f64>(pool(i) + LOADED_NS));
  if (near > far * (1.0 + parameter(TOLERANCE))) demote(COLLOID, left());
  else if (near < far * (1.0 - parameter(TOLERANCE))) promote(COLLOID, true);
}

/** TPP's (ASPLOS'23): demotes the longest unused pages until a share is free, promotes what was touched twice. */
function tpp(): void {
  const wanted = i32(Math.ceil(parameter(WATERMARK) * load<f64>(pool(0) + CAPACITY)));
  demote(TPP, min(left(), wanted - i32(free(0))));
  promote(TPP, false);
}

function run(policy: i32): void {
  switch (policy) {
    case FREQUENCY:
    case HYBRID:
      demote(policy, left());
      promote(policy, true);
      break;
    case HEAT:
    case LIFETIME:
    case LOCALITY:
      promote(policy, true);
      break;
    case LOAD_BALANCE:
      balanceLoad();
      break;
    case TPP:
      tpp();
      break;
    case COLLOID:
      balanceLatency();
      break;
  }
}

/**
 * Ends an epoch: moves pages and clears its counters. Gives the number of moves; [moves, 3] page, from, to stand at `movesAt`.
 * The lines of the epoch, those of the moves included, stand until `beginEpoch`.
 */
export function endEpoch(): i32 {
  moves = 0;
  run(i32(parameter(MIGRATION)));
  const clear = i32(parameter(CLEAR));
  const clears = clear > 0 && (state.epoch + 1) % clear == 0;
  for (let i = 0; i < state.pages; i++) {
    const at = page(i);
    store<f64>(at + EPOCH_READS, 0.0);
    store<f64>(at + EPOCH_WRITES, 0.0);
    if (clears) store<f64>(at + WINDOW, 0.0);
  }
  state.nextEpoch();
  return moves;
}

export function beginEpoch(): void {
  state.clearLines();
}

export function movesAt(): usize {
  return state.movesAt;
}

/** The static oracle: after a pass over the whole trace, the pages with the most lines are put near and all others far; counters begin anew. */
export function placeOracle(): i32 {
  for (let i = 0; i < state.pools; i++) store<f64>(pool(i) + USED, 0.0);
  for (let i = 0; i < state.pages; i++) if (load<i32>(page(i) + POOL) >= 0) store<i32>(page(i) + POOL, state.pools);
  for (let target = 0; target < state.pools; target++) {
    while (free(target) > 0.0) {
      selectHomeless();
      if (found == 0) break;
      for (let i = 0; i < found && free(target) > 0.0; i++) state.put(bestPage(i), target);
    }
  }
  for (let i = 0; i < state.pages; i++) {
    const at = page(i);
    if (load<i32>(at + POOL) == state.pools) return 2;
    store<f64>(at + TOTAL, 0.0);
    store<f64>(at + WINDOW, 0.0);
  }
  return 0;
}
