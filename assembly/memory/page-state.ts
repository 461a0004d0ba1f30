// The tables of the page machines: parameters, pools, pages, and the lines of the current epoch. All figures are f64 but where a
// field says i32; TypeScript writes parameters and pools before `configurePages`.

export const CHUNK: i32 = 1024;
/** 4 million pages of 48 bytes; 16 GiB in pages of 4 KiB. */
export const MAX_PAGES: i32 = 1 << 22;

/** [18]: the parameters below. */
export const PARAMS: usize = memory.data(18 * 8);
/** [16, 8]: the fields of a pool below. */
export const POOLS: usize = memory.data(16 * 8 * 8);
/** [CHUNK, 3]: page, lines read, lines written. */
export const TOUCHES: usize = memory.data(1024 * 3 * 8);
/** [16, 6]: see linesAt. */
export const LINES: usize = memory.data(16 * 6 * 8);

// Parameters, by index.
export const ALLOCATION: i32 = 0;
export const MIGRATION: i32 = 1;
/** Most pages that move at the end of one epoch. */
export const BUDGET: i32 = 2;
export const HOT: i32 = 3;
export const COLD: i32 = 4;
/** Epochs after which the counters of `frequency` and `hybrid` are cleared. */
export const CLEAR: i32 = 5;
/** Epochs after which a page counts as long-lived. */
export const AGE: i32 = 6;
/** Lines a page needs in one epoch for `locality`. */
export const HITS: i32 = 7;
/** Imbalance of load, or of latency, below which nothing moves. */
export const TOLERANCE: i32 = 8;
/** Share of near pages that TPP keeps free. */
export const WATERMARK: i32 = 9;
export const CACHE_POLICY: i32 = 10;
export const CACHE_SLOTS: i32 = 11;
/** Lines of a page. */
export const PAGE_LINES: i32 = 12;
/** A page is 2^shift native pages (4 KiB); touches name native ones. */
export const PAGE_SHIFT: i32 = 13;
/** Translations that stay cached, and ns of a walk: of native pages, of these pages. */
export const NATIVE_ENTRIES: i32 = 14;
export const NATIVE_WALK_NS: i32 = 15;
export const ENTRIES: i32 = 16;
export const WALK_NS: i32 = 17;

// Bytes inside a pool.
export const CAPACITY: usize = 0;
export const READ_NS: usize = 8;
export const WRITE_NS: usize = 16;
export const WEIGHT: usize = 24;
/** Loaded latency of the epoch that ends, for Colloid's balance. */
export const LOADED_NS: usize = 32;
export const USED: usize = 40;
export const CREDIT: usize = 48;

// Bytes inside a page.
export const POOL: usize = 0; // i32, -1 = nowhere yet
export const SLOT: usize = 4; // i32 of the near cache, -1 = none
export const EPOCH_READS: usize = 8;
export const EPOCH_WRITES: usize = 16;
export const WINDOW: usize = 24;
export const TOTAL: usize = 32;
export const LAST: usize = 40; // i32, epoch of the last touch
export const BEFORE: usize = 44; // i32, epoch of the touch before that one
export const BORN: usize = 48; // i32, epoch of the first touch
const PAGE_BYTES: usize = 56;

// Columns of LINES.
export const READ: i32 = 0;
export const WRITTEN: i32 = 1;
export const FILLED: i32 = 2;
export const WRITTEN_BACK: i32 = 3;
export const MOVED_OUT: i32 = 4;
export const MOVED_IN: i32 = 5;

export let pages: i32 = 0;
export let pools: i32 = 0;
export let epoch: i32 = 0;
/** Native pages and pages touched in this epoch. */
export let touchedNative: i32 = 0;
export let touched: i32 = 0;
let native: i32 = 0;
let nativeAt: usize = 0;
/** First byte after the pages: the slots of the near cache; then the list of moves. */
export let slotsAt: usize = 0;
export let slots: i32 = 0;
export let movesAt: usize = 0;
const pagesAt: usize = (__heap_base + 15) & ~15;
const SLOT_BYTES: usize = 40;
const MOVE_BYTES: usize = 24;
/** Pages that `BUDGET` may be at most; an exchange is two moves. */
export const MAX_MOVES: i32 = 512;

// @ts-ignore: decorator
@inline
export function parameter(index: i32): f64 {
  return load<f64>(PARAMS + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline
export function pool(index: i32): usize {
  return POOLS + (<usize>index << 6);
}

// @ts-ignore: decorator
@inline
export function page(index: i32): usize {
  return pagesAt + <usize>index * PAGE_BYTES;
}

// @ts-ignore: decorator
@inline
export function slot(index: i32): usize {
  return slotsAt + <usize>index * SLOT_BYTES;
}

export function nativePages(): i32 {
  return native;
}

export function addLines(index: i32, column: i32, lines: f64): void {
  const at = LINES + <usize>(index * 6 + column) * 8;
  store<f64>(at, load<f64>(at) + lines);
}

export function clearLines(): void {
  memory.fill(LINES, 0, 16 * 6 * 8);
}

export function reset(nativePages: i32, poolCount: i32, slotCount: i32): void {
  const shift = i32(parameter(PAGE_SHIFT));
  native = nativePages;
  pages = ((nativePages - 1) >> shift) + 1;
  touched = touchedNative = 0;
  pools = poolCount;
  slots = slotCount;
  epoch = 0;
  slotsAt = page(pages);
  movesAt = slot(slots);
  nativeAt = movesAt + <usize>MAX_MOVES * MOVE_BYTES;
  const end = nativeAt + (<usize>native << 2);
  const missing = <i32>((end + 0xffff) >>> 16) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
  memory.fill(pagesAt, 0, end - pagesAt);
  for (let i = 0; i < pages; i++) {
    store<i32>(page(i) + POOL, -1);
    store<i32>(page(i) + SLOT, -1);
    store<i32>(page(i) + LAST, -1);
    store<i32>(page(i) + BEFORE, -1);
    store<i32>(page(i) + BORN, -1);
  }
  for (let i = 0; i < pools; i++) {
    store<f64>(pool(i) + USED, 0.0);
    store<f64>(pool(i) + CREDIT, 0.0);
  }
  clearLines();
}

export function put(index: i32, target: i32): void {
  store<i32>(page(index) + POOL, target);
  store<f64>(pool(target) + USED, load<f64>(pool(target) + USED) + 1.0);
}

/** Notes a touch in this epoch; several touches of one epoch count once. */
export function markTouched(at: usize, nativePage: i32): void {
  const seen = nativeAt + (<usize>nativePage << 2);
  // Epoch + 1, so that 0 is never.
  if (load<i32>(seen) != epoch + 1) touchedNative++;
  store<i32>(seen, epoch + 1);
  if (load<i32>(at + BORN) < 0) store<i32>(at + BORN, epoch);
  if (load<i32>(at + LAST) == epoch) return;
  touched++;
  store<i32>(at + BEFORE, load<i32>(at + LAST));
  store<i32>(at + LAST, epoch);
}

export function nextEpoch(): void {
  epoch++;
  touched = touchedNative = 0;
}
