// The memory side of a host probe: bandwidth of plain reads and latency of pointer chases, in WebAssembly. Everything is
// measured in short pieces, and the best ones count: a busy neighbour lengthens many pieces, but seldom all.

import type { ChaseShape, MemoryProbe, Platform } from "../../core/ports.js";
import { MIB } from "../../core/units.js";
import { openReader, type Reader } from "./read.js";

/** Reads go through the buffer in pieces of half a ms, so that none is read again before a cache has lost it. */
const PART_BYTES = 16 * MIB;
/** Pieces of a chase, and loads of one: 0.2 to 0.5 ms, long against the clock and short against a time slice. */
const PIECES = 40;
const PIECE_LOADS = 3000;
/** Share of pieces that may be better by luck (lines still in a cache) than what is reported. */
const LUCKY = 0.1;
const MAX_CHAINS = 32;
const TURN_LINES = 7 * 2 ** 15 + 7919;
/** Room for the u32 addresses of all chains. */
const STATE_BYTES = 256;

export interface OpenProbe extends MemoryProbe {
  close(): Promise<void>;
}

/**
 * Opens a probe over buffers of up to `bytes` bytes, on up to `threads` threads. Chases use the largest power of two of
 * lines that fits, and 1 to 32 chains; reads of several threads use all there are.
 */
export async function openMemoryProbe(platform: Platform, bytes: number, threads: number): Promise<OpenProbe> {
  const reader = await openReader(platform, bytes + STATE_BYTES, threads);
  const chase = openChase(platform, reader, bytes);
  return {
    measureReadGBps: async (readBytes, streams, used) => readGBps(reader, Math.min(readBytes, bytes), streams, used),
    measureChaseNs: async (chaseBytes, chains, shape) => chase(Math.min(chaseBytes, bytes), chains, shape),
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

/** Chases over the first `bytes` bytes of a reader; the chains' state lies behind them. */
function openChase(platform: Platform, { loaded, start }: Reader, bytes: number) {
  const { kernels, memory } = loaded;
  const stateAt = start + bytes;
  let linked = "";
  let turn = 0;
  return (chaseBytes: number, chains: number, { strideBytes, blockBytes }: ChaseShape): number => {
    const count = 2 ** Math.floor(Math.log2(chaseBytes / strideBytes));
    const block = Math.min(count, 2 ** Math.floor(Math.log2(blockBytes / strideBytes)));
    const wanted = `${count} ${strideBytes} ${block}`;
    if (wanted !== linked) {
      kernels.linkChase(start, count, strideBytes, block);
      linked = wanted;
    }
    const used = Math.min(chains, MAX_CHAINS);
    const state = new Uint32Array(memory.buffer, stateAt, used);
    // Chains begin far apart and elsewhere each time, so that none finds the lines of another in a cache.
    turn++;
    state.forEach((_, chain) => {
      const line = (Math.floor((count * chain) / used) + turn * TURN_LINES) % count;
      state[chain] = start + line * strideBytes;
    });
    return pieceNs(platform, Math.round(PIECE_LOADS / used), (steps) => kernels.chains(stateAt, used, steps));
  };
}

const lowQuantile = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(LUCKY * values.length)] as number;

/** ns a step over many short pieces. */
function pieceNs(platform: Platform, steps: number, run: (steps: number) => void): number {
  const pieces = Array.from({ length: PIECES }, () => {
    const before = platform.clock.nowNs();
    run(steps);
    return (platform.clock.nowNs() - before) / steps;
  });
  return lowQuantile(pieces);
}
