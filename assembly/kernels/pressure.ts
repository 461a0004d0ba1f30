// Paced traffic to memory, for calibration: reads, stores, copies and fills in steps of 4 KiB with a pause after each, on
// this thread or as the whole life of a worker.

import { SIMD, THREADS } from "./lanes";

const READ: i32 = 0;
const STORE: i32 = 1;
const COPY: i32 = 2;
const FILL: i32 = 3;

/** Lines of each of the eight streams in one step. */
const STEP_LINES: usize = 8;
const STREAM_STEP: usize = STEP_LINES * 64;

// Words of a worker's block: 0 = go on, 1 = stop, 2 = has stopped; kind, pause, steps done; first byte and length of its area.
const STOP: usize = 0;
const STOPPED: i32 = 2;
const KIND: usize = 4;
const PAUSE: usize = 8;
const STEPS: usize = 12;
const AREA: usize = 16;
const BYTES: usize = 20;
const SINK: usize = 32;
/** Bytes of a block. */
export const PRESSURE_BYTES: i32 = 64;

/** Streams begin an odd number of lines apart, so that they fall in different cache sets. */
// @ts-ignore: decorator
@inline
function distance(bytes: usize): usize {
  return ((bytes >> 3) & ~(<usize>4095)) - 4032;
}

function readLines(at: usize, sink: usize): void {
  if (SIMD) {
    let a = v128.load(sink);
    for (const end = at + STREAM_STEP; at < end; at += 64) {
      a = v128.xor(a, v128.xor(v128.load(at), v128.load(at, 16)));
      a = v128.xor(a, v128.xor(v128.load(at, 32), v128.load(at, 48)));
    }
    v128.store(sink, a);
  } else {
    let a = load<i64>(sink);
    for (const end = at + STREAM_STEP; at < end; at += 64) {
      a ^= load<i64>(at) ^ load<i64>(at, 8) ^ load<i64>(at, 16) ^ load<i64>(at, 24);
      a ^= load<i64>(at, 32) ^ load<i64>(at, 40) ^ load<i64>(at, 48) ^ load<i64>(at, 56);
    }
    store<i64>(sink, a);
  }
}

function storeLines(at: usize): void {
  for (const end = at + STREAM_STEP; at < end; at += 16) {
    store<i64>(at, at);
    store<i64>(at, at, 8);
  }
}

function copyLines(to: usize, from: usize): void {
  for (const end = from + STREAM_STEP; from < end; from += 16, to += 16) {
    store<i64>(to, load<i64>(from));
    store<i64>(to, load<i64>(from, 8), 8);
  }
}

/** One step at `offset` of each of the eight streams of an area; a copy reads four of them and writes the others. */
function pressStep(kind: i32, area: usize, apart: usize, offset: usize, sink: usize): void {
  const first = area + offset;
  if (kind == COPY) {
    for (let s: usize = 0; s < 4; s++) copyLines(first + (s + 4) * apart, first + s * apart);
    return;
  }
  for (let s: usize = 0; s < 8; s++) {
    const at = first + s * apart;
    if (kind == READ) readLines(at, sink);
    else if (kind == STORE) storeLines(at);
    else if (kind == FILL) memory.fill(at, 1, STREAM_STEP);
  }
}

/** Multiplications one after another; the result goes to memory so that none is left out. */
function rest(pause: i32, sink: usize): void {
  let value = load<i32>(sink);
  for (let i = 0; i < pause; i++) value = value * 1664525 + i;
  store<i32>(sink, value);
}

/**
 * `steps` steps of 4 KiB on an area of `bytes` bytes (at least 64 KiB), from byte `offset` of each stream on.
 * Kinds: 0 read, 1 store, 2 copy, 3 fill. Gives the next offset.
 */
export function press(kind: i32, area: usize, bytes: usize, offset: usize, steps: i32, pause: i32, sink: usize): usize {
  const apart = distance(bytes);
  for (let i = 0; i < steps; i++) {
    pressStep(kind, area, apart, offset, sink);
    offset += STREAM_STEP;
    if (offset + STREAM_STEP > apart) offset = 0;
    if (pause > 0) rest(pause, sink);
  }
  return offset;
}

/** The life of a worker: traffic as its block says, until it says stop. Kind and pause may change meanwhile. */
export function pressUntilStopped(block: usize): void {
  if (!THREADS) return;
  const area = <usize>load<u32>(block + AREA);
  const bytes = <usize>load<u32>(block + BYTES);
  let offset: usize = 0;
  while (atomic.load<i32>(block + STOP) == 0) {
    const kind = atomic.load<i32>(block + KIND);
    offset = press(kind, area, bytes, offset, 1, atomic.load<i32>(block + PAUSE), block + SINK);
    atomic.add<i32>(block + STEPS, 1);
  }
  atomic.store<i32>(block + STOP, STOPPED);
}
