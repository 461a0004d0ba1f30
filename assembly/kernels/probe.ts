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
 * Links the lines (64 bytes) of [start, start + lines * 64) to one random cycle of all lines (Sattolo's shuffle of a
 * permutation held in the lines themselves), seeded.
 */
export function linkChase(start: usize, lines: i32, seed: u32): void {
  for (let i = 0; i < lines; i++) store<u32>(start + (<usize>i << 6), i);
  let state = seed | 1;
  for (let i = lines - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    const j = i32((<u64>state * <u64>i) >> 32);
    const a = start + (<usize>i << 6);
    const b = start + (<usize>j << 6);
    const line = load<u32>(a);
    store<u32>(a, load<u32>(b));
    store<u32>(b, line);
  }
  for (let i = 0; i < lines; i++) {
    const at = start + (<usize>i << 6);
    store<u32>(at, u32(start) + (load<u32>(at) << 6));
  }
}

/** Follows `steps` links; each load waits for the one before. Gives the last address. */
export function chase(from: usize, steps: i32): usize {
  for (let i = 0; i < steps; i++) from = load<u32>(from);
  return from;
}

/** Follows 1, 2, 4 or 8 chains side by side that begin `gap` bytes apart, `steps` links each. */
export function chains(from: usize, gap: usize, count: i32, steps: i32): usize {
  if (count <= 1) return chase(from, steps);
  let a = from;
  let b = from + gap;
  if (count == 2) {
    for (let i = 0; i < steps; i++) {
      a = load<u32>(a);
      b = load<u32>(b);
    }
    return a ^ b;
  }
  let c = from + 2 * gap;
  let d = from + 3 * gap;
  if (count <= 4) {
    for (let i = 0; i < steps; i++) {
      a = load<u32>(a);
      b = load<u32>(b);
      c = load<u32>(c);
      d = load<u32>(d);
    }
    return a ^ b ^ c ^ d;
  }
  let e = from + 4 * gap;
  let f = from + 5 * gap;
  let g = from + 6 * gap;
  let h = from + 7 * gap;
  for (let i = 0; i < steps; i++) {
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
