// The memory side of a host probe: bandwidth of plain reads and latency of pointer chases, in WebAssembly.

import type { MemoryProbe, Platform } from "../../core/ports.js";
import { LINE_BYTES } from "../../core/units.js";
import { openReader, type Reader } from "./read.js";

const PASSES = 3;
/** Links of one timed pass: long against the clock, short against a two-second probe. */
const CHASE_STEPS = 60_000;

/** Passes begin this far apart, so that none finds its lines in a cache because of the one before. */
const PASS_LINES = 7919;

export interface OpenProbe extends MemoryProbe {
  close(): Promise<void>;
}

/**
 * Opens a probe over buffers of up to `bytes` bytes, on up to `threads` threads. Chases use the largest power of two of
 * lines that fits, and 1, 2, 4, 8 or 16 chains; reads of several threads use all there are.
 */
export async function openMemoryProbe(platform: Platform, bytes: number, threads: number): Promise<OpenProbe> {
  const reader = await openReader(platform, bytes, threads);
  return {
    async measureReadGBps(readBytes, streams, used) {
      return best(Array.from({ length: PASSES }, () => pass(reader, Math.min(readBytes, bytes), streams, used)));
    },
    async measureChaseNs(chaseBytes, chains) {
      return chaseNs(platform, reader, Math.min(chaseBytes, bytes), chains);
    },
    close: () => reader.close(),
  };
}

const best = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);

function pass(reader: Reader, bytes: number, streams: number, threads: number): number {
  const done = reader.pass(streams, threads, bytes);
  return done.ns > 0 ? done.bytes / done.ns : 0;
}

/** Least ns a step over a few passes; the first one also warms what fits in a cache. */
function chaseNs(platform: Platform, { loaded, start }: Reader, bytes: number, chains: number): number {
  const { kernels } = loaded;
  const lines = 2 ** Math.floor(Math.log2(bytes / LINE_BYTES));
  kernels.linkChase(start, lines);
  const fits = lines < CHASE_STEPS * 32;
  if (fits) kernels.chase(start, lines);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < PASSES; i++) {
    const before = platform.clock.nowNs();
    kernels.chains(start, lines, i * PASS_LINES, chains, CHASE_STEPS);
    least = Math.min(least, (platform.clock.nowNs() - before) / CHASE_STEPS);
  }
  return least;
}
