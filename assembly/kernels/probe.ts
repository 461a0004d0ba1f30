// What the memory of this machine gives to plain WebAssembly: sequential reads by 1, 4 or 8 parallel streams, and
// pointer chases (one or several at once).

import { Job, KIND_READ } from "./job";
import { control, runJob } from "./jobs";
import { SIMD, THREADS } from "./lanes";

/** Bytes that one claim of a thread reads. Not a multiple of 4 KiB a stream, so that streams fall in different cache sets. */
const UNIT_BYTES: usize = 8 * 73792;

/**
 * Reads `bytes` (rounded down to whole units) from `start` in `streams` (1, 4, 8) side by side; xor of it all is left in
 * the job so that nothing is optimised away. Gives the bytes read.
 */
export function readBytes(start: usize, bytes: u32, streams: i32): u32 {
  const job = changetype<Job>(control() + 64);
  job.kind = KIND_READ;
  job.units = i32(bytes / <u32>UNIT_BYTES);
  job.x = start;
  job.tokens = streams;
  job.out = control() + 256;
  runJob(job, true);
  return <u32>job.units * <u32>UNIT_BYTES;
}

/** Looks before a thread sleeps until another comes (some us), how long it sleeps at most, and how often. */
const LOOKS: i32 = 2000;
const SLEEP_NS: i64 = 1000000;
const SLEEPS: i32 = 5000;

/**
 * A job of one unit a thread in which each waits until all have theirs: what it takes to call `threads` threads together
 * and to know that all are done. Gives how many met.
 */
export function rendezvous(threads: i32): i32 {
  const job = changetype<Job>(control() + 64);
  job.kind = KIND_READ;
  job.units = threads;
  job.tokens = 0;
  job.out = control() + 256;
  store<i32>(job.out, 0);
  runJob(job, true);
  return load<i32>(job.out);
}

function meet(job: Job): void {
  if (!THREADS) return;
  atomic.add<i32>(job.out, 1);
  atomic.notify(job.out, job.units);
  for (let sleep = 0; sleep < SLEEPS && !allMet(); sleep++) awaitNext();
}

/** Whether all threads of the job have come. */
function allMet(): bool {
  const job = changetype<Job>(control() + 64);
  for (let look = 0; look < LOOKS; look++) if (atomic.load<i32>(job.out) >= job.units) return true;
  return false;
}

/** Sleeps until another thread comes. A function of its own: in Node 20's baseline compiler no local survives the wait. */
function awaitNext(): void {
  const job = changetype<Job>(control() + 64);
  const met = atomic.load<i32>(job.out);
  if (met < job.units) atomic.wait<i32>(job.out, met, SLEEP_NS);
}

export function readUnit(job: Job, unit: i32): void {
  if (job.tokens == 0) return meet(job);
  const from = job.x + <usize>unit * UNIT_BYTES;
  const part = UNIT_BYTES / <usize>job.tokens;
  if (!SIMD) {
    store<i64>(job.out, readScalar(from, UNIT_BYTES));
  } else if (job.tokens == 8) read8(job.out, from, part);
  else if (job.tokens == 4) read4(job.out, from, part);
  else read1(job.out, from, part);
}

function readScalar(from: usize, bytes: usize): i64 {
  let a: i64 = 0;
  let b: i64 = 0;
  for (const end = from + bytes; from < end; from += 64) {
    a ^= load<i64>(from) ^ load<i64>(from, 8) ^ load<i64>(from, 16) ^ load<i64>(from, 24);
    b ^= load<i64>(from, 32) ^ load<i64>(from, 40) ^ load<i64>(from, 48) ^ load<i64>(from, 56);
  }
  return a ^ b;
}

/** xor of the line at `at` onto a. */
// @ts-ignore: decorator
@inline
function line(a: v128, at: usize): v128 {
  const first = v128.xor(v128.load(at), v128.load(at, 16));
  const second = v128.xor(v128.load(at, 32), v128.load(at, 48));
  return v128.xor(a, v128.xor(first, second));
}

function read1(out: usize, from: usize, bytes: usize): void {
  let a = i64x2.splat(0);
  for (const end = from + bytes; from < end; from += 64) a = line(a, from);
  v128.store(out, a);
}

function read4(out: usize, from: usize, part: usize): void {
  let a = i64x2.splat(0);
  let b = a;
  for (const end = from + part; from < end; from += 64) {
    a = line(a, from);
    b = line(b, from + part);
    a = line(a, from + 2 * part);
    b = line(b, from + 3 * part);
  }
  v128.store(out, v128.xor(a, b));
}

function read8(out: usize, from: usize, part: usize): void {
  let a = i64x2.splat(0);
  let b = a;
  for (const end = from + part; from < end; from += 64) {
    a = line(a, from);
    b = line(b, from + part);
    a = line(a, from + 2 * part);
    b = line(b, from + 3 * part);
    a = line(a, from + 4 * part);
    b = line(b, from + 5 * part);
    a = line(a, from + 6 * part);
    b = line(b, from + 7 * part);
  }
  v128.store(out, v128.xor(a, b));
}

/**
 * Links `count` lines (a power of two), one every `stride` bytes from `start`, to one cycle. Each block of `block` lines (a
 * power of two up to `count`) is gone through by linear congruential steps of full period (Knuth, The Art of Computer
 * Programming 2, 3.2.1.2) before the next block: linking writes sequentially, following jumps about. Blocks smaller than what
 * the translation cache covers leave page walks out of a chase; a stride just over a page makes almost only page walks.
 */
export function linkChase(start: usize, count: i32, stride: i32, block: i32): void {
  const inside = block - 1;
  for (let i = 0; i < count; i++) {
    const base = i & ~inside;
    const step = (i * 1664525 + 1013904223) & inside;
    // The step that would close a block's cycle at its first line leads to the next block.
    const next = step > 0 ? base + step : (base + block) & (count - 1);
    store<u32>(start + <usize>i * <usize>stride, u32(start) + <u32>next * <u32>stride);
  }
}

/** Follows `steps` links; each load waits for the one before. Gives the last address. */
export function chase(from: usize, steps: i32): usize {
  for (let i = 0; i < steps; i++) from = load<u32>(from);
  return from;
}

/** Follows `count` chains side by side, `steps` links each; their u32 addresses are at `state` and move on. */
export function chains(state: usize, count: i32, steps: i32): void {
  const end = state + (<usize>count << 2);
  for (let step = 0; step < steps; step++) {
    for (let at = state; at < end; at += 4) store<u32>(at, load<u32>(load<u32>(at)));
  }
}
