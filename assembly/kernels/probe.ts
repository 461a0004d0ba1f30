// What the memory of this machine gives to plain WebAssembly: sequential reads by 1, 4 or 8 parallel streams, and
// pointer chases (one or several at once).

import { Job, KIND_READ } from "./job";
import { control, runJob } from "./jobs";
import { SIMD } from "./lanes";

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

export function readUnit(job: Job, unit: i32): void {
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
 * Links `lines` lines of 64 bytes from `start` (a power of two) to one cycle through all of them. The next line is a
 * linear congruential step of full period (Knuth, The Art of Computer Programming 2, 3.2.1.2), so that linking writes
 * sequentially and following jumps about.
 */
export function linkChase(start: usize, lines: i32): void {
  for (let i = 0; i < lines; i++) {
    const next = (i * 1664525 + 1013904223) & (lines - 1);
    store<u32>(start + (<usize>i << 6), u32(start) + (<u32>next << 6));
  }
}

/**
 * Links the lines of each block of `block` lines (a power of two that divides `lines`) as `linkChase` does, and each block to the
 * next: a chase that touches few pages at a time, so that it pays for memory and hardly for address translation.
 */
export function linkBlocks(start: usize, lines: i32, block: i32): void {
  const last = lines & ~(block - 1);
  for (let i = 0; i < lines; i++) {
    const base = i & ~(block - 1);
    const step = (i * 1664525 + 1013904223) & (block - 1);
    // The step that would close a block's cycle at its first line leads to the next block.
    const next = step > 0 ? base + step : (base + block) % last;
    store<u32>(start + (<usize>i << 6), u32(start) + (<u32>next << 6));
  }
}

/** Follows `steps` links; each load waits for the one before. Gives the last address. */
export function chase(from: usize, steps: i32): usize {
  for (let i = 0; i < steps; i++) from = load<u32>(from);
  return from;
}

/** Address where chain `index` begins, an odd number of lines from the others; chain 0 begins at line `first`. */
// @ts-ignore: decorator
@inline
function begin(start: usize, lines: i32, first: i32, index: i32): usize {
  return start + (<usize>((first + index * 259) & (lines - 1)) << 6);
}

function chains2(start: usize, lines: i32, first: i32, steps: i32): usize {
  let a = begin(start, lines, first, 0);
  let b = begin(start, lines, first, 1);
  for (let step = 0; step < steps; step++) {
    a = load<u32>(a);
    b = load<u32>(b);
  }
  return a ^ b;
}

function chains4(start: usize, lines: i32, first: i32, steps: i32): usize {
  let a = begin(start, lines, first, 0);
  let b = begin(start, lines, first, 1);
  let c = begin(start, lines, first, 2);
  let d = begin(start, lines, first, 3);
  for (let step = 0; step < steps; step++) {
    a = load<u32>(a);
    b = load<u32>(b);
    c = load<u32>(c);
    d = load<u32>(d);
  }
  return a ^ b ^ c ^ d;
}

function chains8(start: usize, lines: i32, first: i32, steps: i32): usize {
  let a = begin(start, lines, first, 0);
  let b = begin(start, lines, first, 1);
  let c = begin(start, lines, first, 2);
  let d = begin(start, lines, first, 3);
  let e = begin(start, lines, first, 4);
  let f = begin(start, lines, first, 5);
  let g = begin(start, lines, first, 6);
  let h = begin(start, lines, first, 7);
  for (let step = 0; step < steps; step++) {
    a = load<u32>(a);
    b = load<u32>(b);
    c = load<u32>(c);
    d = load<u32>(d);
    e = load<u32>(e);
    f = load<u32>(f);
    g = load<u32>(g);
    h = load<u32>(h);
  }
  return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}

function chains16(start: usize, lines: i32, first: i32, steps: i32): usize {
  let a = begin(start, lines, first, 0);
  let b = begin(start, lines, first, 1);
  let c = begin(start, lines, first, 2);
  let d = begin(start, lines, first, 3);
  let e = begin(start, lines, first, 4);
  let f = begin(start, lines, first, 5);
  let g = begin(start, lines, first, 6);
  let h = begin(start, lines, first, 7);
  let i = begin(start, lines, first, 8);
  let j = begin(start, lines, first, 9);
  let k = begin(start, lines, first, 10);
  let l = begin(start, lines, first, 11);
  let m = begin(start, lines, first, 12);
  let n = begin(start, lines, first, 13);
  let o = begin(start, lines, first, 14);
  let p = begin(start, lines, first, 15);
  for (let step = 0; step < steps; step++) {
    a = load<u32>(a);
    b = load<u32>(b);
    c = load<u32>(c);
    d = load<u32>(d);
    e = load<u32>(e);
    f = load<u32>(f);
    g = load<u32>(g);
    h = load<u32>(h);
    i = load<u32>(i);
    j = load<u32>(j);
    k = load<u32>(k);
    l = load<u32>(l);
    m = load<u32>(m);
    n = load<u32>(n);
    o = load<u32>(o);
    p = load<u32>(p);
  }
  return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j ^ k ^ l ^ m ^ n ^ o ^ p;
}

/** Follows 1, 2, 4, 8 or 16 chains of a linked area side by side from line `first` on, `steps` links each. */
export function chains(start: usize, lines: i32, first: i32, count: i32, steps: i32): usize {
  if (count >= 16) return chains16(start, lines, first, steps);
  if (count >= 8) return chains8(start, lines, first, steps);
  if (count >= 4) return chains4(start, lines, first, steps);
  if (count >= 2) return chains2(start, lines, first, steps);
  return chase(begin(start, lines, first, 0), steps);
}
