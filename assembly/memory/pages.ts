// Pages of a trace in pools of memory: where a page goes at first touch, what one epoch's touches cost in lines by pool, and which
// pages move at its end. An instance of the module follows either a cache (index.ts) or pages, not both.

import { cacheTouch, resetSlots } from "./far-cache";
import * as state from "./page-state";
import {
  ALLOCATION, CAPACITY, CREDIT, EPOCH_READS, EPOCH_WRITES, LINES, PARAMS, POOL, POOLS, READ_NS, TOTAL, TOUCHES, USED, WEIGHT, WINDOW, WRITE_NS,
  page, parameter, pool,
} from "./page-state";

const FIRST_TOUCH: i32 = 0;
const FIRST_FIT: i32 = 1;
const INTERLEAVE: i32 = 2;
const NUMA: i32 = 3;
const BALANCED: i32 = 4;
/** CXLMemSim keeps a tenth of local memory free. */
const NUMA_FULL: f64 = 0.9;

export function pageParamsAt(): usize {
  return PARAMS;
}

export function pagePoolsAt(): usize {
  return POOLS;
}

export function touchesAt(): usize {
  return TOUCHES;
}

export function maxTouches(): i32 {
  return state.CHUNK;
}

/** [pools, 6] lines of this epoch: read and written by the program, fills of the near cache read, write-backs of it written, and moved pages read and written. */
export function linesAt(): usize {
  return LINES;
}

/** Empties everything for so many native pages and pools. 0, or 1 = pages, 2 = pools, 3 = the slots of the near cache are out of range. */
export function configurePages(pages: i32, pools: i32): i32 {
  if (pages < 1 || pages > state.MAX_PAGES) return 1;
  if (pools < 1 || pools > 16) return 2;
  const slots = i32(parameter(state.CACHE_SLOTS));
  if (slots < 0 || slots > state.MAX_PAGES) return 3;
  state.reset(pages, pools, slots);
  resetSlots();
  return 0;
}

// @ts-ignore: decorator
@inline
function hasRoom(index: i32): bool {
  return load<f64>(pool(index) + USED) < load<f64>(pool(index) + CAPACITY);
}

/** The pool of least latency with room, from `first` on; -1 when all are full. */
function nearest(first: i32): i32 {
  let best = -1;
  for (let i = first; i < state.pools; i++) {
    if (hasRoom(i) && (best < 0 || load<f64>(pool(i) + READ_NS) < load<f64>(pool(best) + READ_NS))) best = i;
  }
  return best;
}

/** Pages in the order of their addresses fill the pools one after the other. */
function byAddress(index: i32): i32 {
  let end: f64 = 0.0;
  for (let i = 0; i < state.pools; i++) {
    end += load<f64>(pool(i) + CAPACITY);
    if (<f64>index < end) return i;
  }
  return -1;
}

/** Smooth weighted round robin: each pool earns its weight, the richest pays the sum. */
function interleaved(): i32 {
  let best = -1;
  let sum: f64 = 0.0;
  for (let i = 0; i < state.pools; i++) {
    if (!hasRoom(i)) continue;
    const weight = load<f64>(pool(i) + WEIGHT);
    sum += weight;
    store<f64>(pool(i) + CREDIT, load<f64>(pool(i) + CREDIT) + weight);
    if (weight > 0.0 && (best < 0 || load<f64>(pool(i) + CREDIT) > load<f64>(pool(best) + CREDIT))) best = i;
  }
  if (best < 0) return nearest(0);
  store<f64>(pool(best) + CREDIT, load<f64>(pool(best) + CREDIT) - sum);
  return best;
}

/** CXLMemSim's: local until 90 %, then the pool of most (1 - occupancy) / (0.7 read + 0.3 write latency). */
function numa(): i32 {
  if (load<f64>(POOLS + USED) < NUMA_FULL * load<f64>(POOLS + CAPACITY)) return 0;
  let best = -1;
  let most: f64 = -1.0;
  for (let i = 1; i < state.pools; i++) {
    const at = pool(i);
    if (!hasRoom(i)) continue;
    const free = 1.0 - load<f64>(at + USED) / load<f64>(at + CAPACITY);
    const score = free / (0.7 * load<f64>(at + READ_NS) + 0.3 * load<f64>(at + WRITE_NS));
    if (score > most) {
      best = i;
      most = score;
    }
  }
  return best < 0 ? nearest(0) : best;
}

/** The pool that is least full after it has taken the page. */
function balanced(): i32 {
  let best = -1;
  let least: f64 = Infinity;
  for (let i = 0; i < state.pools; i++) {
    const share = (load<f64>(pool(i) + USED) + 1.0) / load<f64>(pool(i) + CAPACITY);
    if (hasRoom(i) && share < least) {
      best = i;
      least = share;
    }
  }
  return best;
}

function choose(index: i32): i32 {
  switch (i32(parameter(ALLOCATION))) {
    case FIRST_FIT:
      return byAddress(index);
    case INTERLEAVE:
      return interleaved();
    case NUMA:
      return numa();
    case BALANCED:
      return balanced();
    case FIRST_TOUCH:
    default:
      return nearest(0);
  }
}

/** Puts a page where it was not before; false when no pool has room. */
function allocate(index: i32): bool {
  const target = choose(index);
  if (target < 0) return false;
  state.put(index, target);
  return true;
}

/** The first `count` touches [page, lines read, lines written]. 0, 1 = a page is out of range, 2 = no pool has room. */
export function touchPages(count: i32): i32 {
  for (let i = 0; i < count; i++) {
    const touch = TOUCHES + <usize>i * 24;
    const native = load<f64>(touch);
    if (!(native >= 0.0 && native < <f64>state.nativePages())) return 1;
    const index = i32(native) >> i32(parameter(state.PAGE_SHIFT));
    const at = page(index);
    if (load<i32>(at + POOL) < 0 && !allocate(index)) return 2;
    const read = load<f64>(touch + 8);
    const written = load<f64>(touch + 16);
    const home = load<i32>(at + POOL);
    const served = home > 0 && cacheTouch(index, read + written, written > 0.0) ? 0 : home;
    state.addLines(served, state.READ, read);
    state.addLines(served, state.WRITTEN, written);
    store<f64>(at + EPOCH_READS, load<f64>(at + EPOCH_READS) + read);
    store<f64>(at + EPOCH_WRITES, load<f64>(at + EPOCH_WRITES) + written);
    store<f64>(at + WINDOW, load<f64>(at + WINDOW) + read + written);
    store<f64>(at + TOTAL, load<f64>(at + TOTAL) + read + written);
    state.markTouched(at, i32(native));
  }
  return 0;
}

/** ns of page walks over `lines` lines spread evenly over `pages` pages of which `entries` have a cached translation. */
function walksNs(lines: f64, pages: f64, entries: f64, walkNs: f64): f64 {
  return pages > entries ? lines * (1.0 - entries / pages) * walkNs : 0.0;
}

/** What this page size costs more (below 0: less) than native pages, for so many lines at random over the pages of this epoch. */
export function translationNs(lines: f64): f64 {
  const own = walksNs(lines, <f64>state.touched, parameter(state.ENTRIES), parameter(state.WALK_NS));
  return own - walksNs(lines, <f64>state.touchedNative, parameter(state.NATIVE_ENTRIES), parameter(state.NATIVE_WALK_NS));
}

/** Pool of the page that holds a native page; -1 when it was never touched or placed. */
export function poolOfPage(native: i32): i32 {
  return load<i32>(page(native >> i32(parameter(state.PAGE_SHIFT))) + POOL);
}
