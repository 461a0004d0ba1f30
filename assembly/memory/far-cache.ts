// Copies of far pages in a part of near memory: first in first out, least recently used, or least frequently used. A
// copied page is read whole from its home; a changed copy is written back when it leaves.

import * as state from "./page-state";
import { CACHE_POLICY, PAGE_LINES, POOL, SLOT, WINDOW, page, parameter, slot } from "./page-state";

const FIFO: i32 = 1;
const LRU: i32 = 2;
const FREQUENCY: i32 = 3;

// Bytes inside a slot.
const HELD: usize = 0; // i32, page + 1; 0 = free
const DIRTY: usize = 4; // i32
const SINCE: usize = 8;
const USED_AT: usize = 16;
const COUNT: usize = 24;

let clock: f64 = 0.0;
let filled: i32 = 0;

export function resetSlots(): void {
  clock = 0.0;
  filled = 0;
}

/** What leaves first: the least of this. */
function order(at: usize): f64 {
  switch (i32(parameter(CACHE_POLICY))) {
    case FIFO:
      return load<f64>(at + SINCE);
    case LRU:
      return load<f64>(at + USED_AT);
    default:
      return load<f64>(at + COUNT);
  }
}

function victim(): i32 {
  if (filled < state.slots) return filled++;
  let best = 0;
  for (let i = 1; i < state.slots; i++) if (order(slot(i)) < order(slot(best))) best = i;
  return best;
}

function leave(at: usize): void {
  const held = load<i32>(at + HELD) - 1;
  if (held < 0) return;
  const lines = parameter(PAGE_LINES);
  if (load<i32>(at + DIRTY)) {
    state.addLines(0, state.FILLED, lines);
    state.addLines(load<i32>(page(held) + POOL), state.WRITTEN_BACK, lines);
  }
  store<i32>(page(held) + SLOT, -1);
  store<i32>(at + HELD, 0);
  store<i32>(at + DIRTY, 0);
}

/** Frees the slot of a page that moves. */
export function dropCopy(index: i32): void {
  const held = load<i32>(page(index) + SLOT);
  if (held >= 0) leave(slot(held));
}

/** A touch of a far page; true when its copy serves it. A miss may bring a copy in for the next touch. */
export function cacheTouch(index: i32, lines: f64, writes: bool): bool {
  const policy = i32(parameter(CACHE_POLICY));
  if (policy == 0 || state.slots == 0) return false;
  clock += 1.0;
  const held = load<i32>(page(index) + SLOT);
  if (held >= 0) {
    const at = slot(held);
    store<f64>(at + USED_AT, clock);
    store<f64>(at + COUNT, load<f64>(at + COUNT) + lines);
    if (writes) store<i32>(at + DIRTY, 1);
    return true;
  }
  const count = load<f64>(page(index) + WINDOW) + lines;
  const chosen = victim();
  const at = slot(chosen);
  // Least frequently used: a page must have been touched more than what it pushes out.
  if (policy == FREQUENCY && load<i32>(at + HELD) > 0 && count <= load<f64>(at + COUNT)) return false;
  leave(at);
  store<i32>(at + HELD, index + 1);
  store<f64>(at + SINCE, clock);
  store<f64>(at + USED_AT, clock);
  store<f64>(at + COUNT, count);
  store<i32>(page(index) + SLOT, chosen);
  state.addLines(load<i32>(page(index) + POOL), state.FILLED, parameter(PAGE_LINES));
  state.addLines(0, state.WRITTEN_BACK, parameter(PAGE_LINES));
  return false;
}
