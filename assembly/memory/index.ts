// Which accesses miss the last-level cache: an LRU stack of byte ranges ("extents") of tensors, newest last. The distance of
// an access is the distinct data touched since the same bytes were last used, its own included. Two caches are followed at
// once: one of the effective size C (most misses, "high") and one of 2 C (most hits, "low"). Writes fetch what misses
// (read-for-ownership) and are written back when they leave. State lasts from call to call: a warm cache stays warm.

/** [CHUNK, 4] accesses: tensor, first byte, byte past the end, 1 = write. */
const CHUNK: i32 = 1024;
const ACCESSES: usize = memory.data(1024 * 4 * 8);
/** An extent: tensor, first byte, byte past the end, dirty bytes in the low and in the high cache. */
const EXTENT: usize = 40;
/** A row: access, tensor, bytes read (low, high), bytes written back (low, high). */
const ROW: usize = 48;

const extents: usize = (__heap_base + 15) & ~15;
let capacity: i32 = 0;
/** Extents head..count-1 are alive (those of no bytes are gaps); from `edge` on they are in the high cache too. */
let head: i32 = 0;
let edge: i32 = 0;
let count: i32 = 0;
/** Extents that are no gaps. */
let alive: i32 = 0;
let lowBytes: f64 = 0.0;
let highBytes: f64 = 0.0;
let cacheBytes: f64 = 0.0;
let rows: usize = 0;
let rowCount: i32 = 0;

export function maxAccesses(): i32 {
  return CHUNK;
}

export function accessesAt(): usize {
  return ACCESSES;
}

/** Valid until the next `run`, which may also grow the memory. */
export function rowsAt(): usize {
  return rows;
}

/** Empties the cache and sets its size C; 0 = no cache. */
export function configure(bytes: f64): void {
  cacheBytes = bytes;
  head = edge = count = alive = 0;
  lowBytes = highBytes = 0.0;
}

// @ts-ignore: decorator
@inline
function at(index: i32): usize {
  return extents + <usize>index * EXTENT;
}

function emit(access: i32, tensor: f64, readLow: f64, readHigh: f64, backLow: f64, backHigh: f64): void {
  const row = rows + <usize>rowCount * ROW;
  store<f64>(row, <f64>access);
  store<f64>(row + 8, tensor);
  store<f64>(row + 16, readLow);
  store<f64>(row + 24, readHigh);
  store<f64>(row + 32, backLow);
  store<f64>(row + 40, backHigh);
  rowCount++;
}

/** Closes the gaps. */
function compact(): void {
  let to = 0;
  let newEdge = 0;
  for (let from = head; from < count; from++) {
    if (from == edge) newEdge = to;
    if (load<f64>(at(from) + 16) <= load<f64>(at(from) + 8)) continue;
    if (to != from) memory.copy(at(to), at(from), EXTENT);
    to++;
  }
  if (edge >= count) newEdge = to;
  head = 0;
  edge = newEdge;
  count = to;
}

/** Room for what `accesses` more accesses can add: two extents and three rows each, and two rows for each extent alive. */
function reserve(accesses: i32): void {
  if (count + 2 * accesses > capacity) {
    compact();
    if (count + 2 * accesses > capacity / 2) capacity = 2 * (count + 2 * accesses);
  }
  rows = at(capacity);
  const end = rows + <usize>(7 * accesses + 2 * count) * ROW;
  const pages = <i32>((end + 0xffff) >>> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
}

/** Cuts bytes low..high out of extent `index`; a cut in the middle leaves two. */
function cut(index: i32, low: f64, high: f64, dirtyLow: f64, dirtyHigh: f64): void {
  const it = at(index);
  const first = load<f64>(it + 8);
  const end = load<f64>(it + 16);
  lowBytes -= high - low;
  if (index >= edge) highBytes -= high - low;
  const left = low - first;
  const right = end - high;
  const restLow = load<f64>(it + 24) - dirtyLow;
  const restHigh = load<f64>(it + 32) - dirtyHigh;
  store<f64>(it + 24, restLow);
  store<f64>(it + 32, restHigh);
  if (left <= 0.0) {
    store<f64>(it + 8, high);
    if (right <= 0.0) alive--;
    return;
  }
  store<f64>(it + 16, low);
  if (right <= 0.0) return;
  memory.copy(it + 2 * EXTENT, it + EXTENT, <usize>(count - 1 - index) * EXTENT);
  const share = right / (left + right);
  const other = it + EXTENT;
  store<f64>(other, load<f64>(it));
  store<f64>(other + 8, high);
  store<f64>(other + 16, end);
  store<f64>(other + 24, restLow * share);
  store<f64>(other + 32, restHigh * share);
  store<f64>(it + 24, restLow - restLow * share);
  store<f64>(it + 32, restHigh - restHigh * share);
  count++;
  alive++;
  if (index < edge) edge++;
}

function push(tensor: f64, first: f64, end: f64, dirtyLow: f64, dirtyHigh: f64): void {
  const it = at(count++);
  store<f64>(it, tensor);
  store<f64>(it + 8, first);
  store<f64>(it + 16, end);
  store<f64>(it + 24, dirtyLow);
  store<f64>(it + 32, dirtyHigh);
  alive++;
  lowBytes += end - first;
  highBytes += end - first;
}

/** Drops what no longer fits, oldest first; dirty bytes are written back. */
function evict(access: i32): void {
  while (highBytes > cacheBytes && edge < count) {
    const it = at(edge++);
    highBytes -= load<f64>(it + 16) - load<f64>(it + 8);
    const dirty = load<f64>(it + 32);
    if (dirty > 0.0) emit(access, load<f64>(it), 0.0, 0.0, 0.0, dirty);
    store<f64>(it + 32, 0.0);
  }
  while (lowBytes > 2.0 * cacheBytes && head < edge) {
    const it = at(head++);
    const size = load<f64>(it + 16) - load<f64>(it + 8);
    if (size > 0.0) alive--;
    lowBytes -= size;
    const dirty = load<f64>(it + 24);
    if (dirty > 0.0) emit(access, load<f64>(it), 0.0, 0.0, dirty, 0.0);
  }
}

// What one access found: bytes that hit, dirty bytes that stay, dirty bytes that were lost, in the low and the high cache.
let hitLow: f64 = 0.0;
let hitHigh: f64 = 0.0;
let dirtyLow: f64 = 0.0;
let dirtyHigh: f64 = 0.0;
let backLow: f64 = 0.0;
let backHigh: f64 = 0.0;

/** Takes bytes low..high of extent `index` out of the stack and counts them as hit or missed at that distance. */
function take(index: i32, low: f64, high: f64, distance: f64): void {
  const it = at(index);
  const part = high - low;
  const share = part / (load<f64>(it + 16) - load<f64>(it + 8));
  const partLow = load<f64>(it + 24) * share;
  const partHigh = load<f64>(it + 32) * share;
  if (distance <= 2.0 * cacheBytes) {
    hitLow += part;
    dirtyLow += partLow;
  } else backLow += partLow;
  if (distance <= cacheBytes && index >= edge) {
    hitHigh += part;
    dirtyHigh += partHigh;
  } else backHigh += partHigh;
  cut(index, low, high, partLow, partHigh);
}

/** Looks for first..end of a tensor from the newest extent down. */
function find(tensor: f64, first: f64, end: f64): void {
  const size = end - first;
  let depth: f64 = 0.0;
  let found: f64 = 0.0;
  for (let i = count - 1; i >= head && found < size; i--) {
    const it = at(i);
    const itFirst = load<f64>(it + 8);
    const itEnd = load<f64>(it + 16);
    depth += itEnd - itFirst;
    if (load<f64>(it) != tensor) continue;
    const low = itFirst > first ? itFirst : first;
    const high = itEnd < end ? itEnd : end;
    if (low >= high) continue;
    take(i, low, high, depth - (itEnd - itFirst) + size);
    depth -= high - low;
    found += high - low;
  }
}

function touch(access: i32): void {
  const input = ACCESSES + (<usize>access << 5);
  const tensor = load<f64>(input);
  const first = load<f64>(input + 8);
  const end = load<f64>(input + 16);
  const size = end - first;
  if (!(size > 0.0)) return;
  if (count - head > 2 * alive + 64) compact();
  hitLow = hitHigh = dirtyLow = dirtyHigh = backLow = backHigh = 0.0;
  find(tensor, first, end);
  if (hitHigh < size || backLow > 0.0 || backHigh > 0.0) {
    emit(access, tensor, size - hitLow, size - hitHigh, backLow, backHigh);
  }
  const written = load<f64>(input + 24) != 0.0;
  push(tensor, first, end, written ? size : dirtyLow, written ? size : dirtyHigh);
  evict(access);
}

/** Runs the first `accesses` accesses of the region; returns how many rows there are at `rowsAt()`. */
export function run(accesses: i32): i32 {
  reserve(accesses);
  rowCount = 0;
  for (let access = 0; access < accesses; access++) touch(access);
  return rowCount;
}

export { configurePages, linesAt, maxTouches, pageParamsAt, pagePoolsAt, poolOfPage, touchesAt, touchPages, translationNs } from "./pages";
export { beginEpoch, endEpoch, movesAt, placeOracle } from "./migrate";
