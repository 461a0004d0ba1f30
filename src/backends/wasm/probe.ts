// The memory side of a host probe: bandwidth of plain reads and latency of pointer chases, in WebAssembly.

import { clockStepNs } from "../../core/clock.js";
import type { MemoryProbe, Platform } from "../../core/ports.js";
import { MIB } from "../../core/units.js";
import { CHASE_STATE_BYTES, openChase } from "./chase.js";
import { lowQuantile } from "./pieces.js";
import { openReader, type Reader } from "./read.js";

/** Reads go through the buffer in pieces of half a ms, so that none is read again before a cache has lost it. */
const PART_BYTES = 16 * MIB;

export interface OpenProbe extends MemoryProbe {
  close(): Promise<void>;
}

/**
 * Opens a probe over buffers of up to `bytes` bytes, on up to `threads` threads. Chases use the largest power of two of
 * lines that fits, and 1 to 32 chains; reads of several threads use all there are.
 */
export async function openMemoryProbe(platform: Platform, bytes: number, threads: number): Promise<OpenProbe> {
  const reader = await openReader(platform, bytes + CHASE_STATE_BYTES, threads);
  const { kernels, memory } = reader.loaded;
  const { start } = reader;
  const { clock } = platform;
  const area = { kernels, memory, clock, clockStepNs: clockStepNs(clock), start, bytes, stateAt: start + bytes };
  const chase = openChase(area);
  return {
    measureReadGBps: async (readBytes, streams, used) => readGBps(reader, Math.min(readBytes, bytes), streams, used),
    measureChaseNs: async (chaseBytes, chains, shape) => chase.stepNs(chaseBytes, chains, shape),
    close: () => reader.close(),
  };
}

function readGBps(reader: Reader, bytes: number, streams: number, threads: number): number {
  const part = Math.min(PART_BYTES, bytes);
  const parts = Math.floor(bytes / part);
  const costs = Array.from({ length: parts }, (_, i) => {
    const done = reader.pass(streams, threads, part, i * part);
    return done.ns / done.bytes;
  });
  const best = lowQuantile(costs);
  return best > 0 ? 1 / best : 0;
}
