// One shared memory with what the hardware validation needs: a pool far larger than the caches, a block for a co-runner,
// and the programs whose passes go over one small buffer of the pool.

import { openArena } from "../../src/backends/wasm/arena.js";
import { CHASE_STATE_BYTES } from "../../src/backends/wasm/chase.js";
import { type Kernels, KIND, loadKernels, OFFSET } from "../../src/backends/wasm/kernels.js";
import { wasmTargets } from "../../src/backends/wasm/variants.js";
import { type Group, packedInt4Bytes } from "../../src/core/packed.js";
import type { Platform } from "../../src/core/ports.js";
import { LINE_BYTES, MIB } from "../../src/core/units.js";

/** Several times the largest last-level cache of a current socket. */
export const POOL_BYTES = 1280 * MIB;
/** The co-runner's own area, larger than such a cache too. */
export const AREA_BYTES = 512 * MIB;
export const STRIDE_BYTES = 2 * LINE_BYTES;
/** Bytes of one step of `press`. */
export const STEP_BYTES = 4096;
/** Rows of an int4 matrix that lie in one linear stream (layout "r8"). */
export const STREAM_ROWS = 8;
const MOST_COLS = 4096;
const MOST_ROWS = 4096;
const MOST_KEYS = 16384;

interface JoinExports {
  readonly BUCKET_BYTES: WebAssembly.Global;
  joinKeys(keys: number, count: number, seed: number): void;
  joinBuild(table: number, bits: number, keys: number, count: number): number;
  joinProbe(table: number, bits: number, keys: number, count: number): number;
}

export interface HardwareBed {
  readonly platform: Platform;
  readonly kernels: Kernels;
  readonly variant: "relaxed" | "simd";
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly pool: number;
  readonly area: number;
  readonly blockAt: number;
  readonly stateAt: number;
  readonly x: number;
  readonly out: number;
  readonly prepared: number;
  readonly keys: number;
  readonly join: JoinExports;
}

/** A pass over one buffer, and how to fill all buffers with what it needs. */
export interface Program {
  readonly bufferBytes: number;
  /** Fills `count` buffers that stand one after another. */
  fill(first: number, count: number): void;
  pass(buffer: number): void;
}

/** Opens the bed on the fastest build that runs here; every page is written once. Throws InputError when memory is short. */
export async function openHardwareBed(platform: Platform): Promise<HardwareBed> {
  const running = (await wasmTargets(platform, 2)).filter((status) => status.available);
  const variant = running.some(({ target }) => target.variant === "relaxed") ? "relaxed" : "simd";
  const { kernels, memory, module } = await loadKernels(platform, variant, true);
  const arena = openArena(memory, kernels.heapBase() >>> 0, "hardware validation");
  const control = arena.take(kernels.CONTROL_BYTES.value);
  const scratch = arena.take(kernels.scratchBytes(0) >>> 0);
  const taken = {
    blockAt: arena.take(kernels.PRESSURE_BYTES.value),
    stateAt: arena.take(CHASE_STATE_BYTES),
    x: arena.take(MOST_COLS * 4),
    out: arena.take(MOST_ROWS * 4),
    prepared: arena.take(kernels.preparedBytes(MOST_COLS, 1) >>> 0),
    keys: arena.take(MOST_KEYS * 4),
    area: arena.take(AREA_BYTES),
    pool: arena.take(POOL_BYTES),
  };
  arena.grow();
  new Uint8Array(memory.buffer, taken.area).fill(1);
  kernels.setUp(control, scratch, 0);
  new Float32Array(memory.buffer, taken.x, MOST_COLS).forEach((_, i, x) => {
    x[i] = Math.sin(i * 1.7) + Math.cos(i * 0.31 + 1);
  });
  const joining = await WebAssembly.compile((await platform.wasm("validate")) as BufferSource);
  const { exports } = await WebAssembly.instantiate(joining, { env: { memory } });
  return { platform, kernels, variant, memory, module, ...taken, join: exports as unknown as JoinExports };
}

/** `chains` pointer chases that together visit every line pair of the buffer once. `bytes` is a power of two. */
export function chaseProgram({ kernels, memory, stateAt }: HardwareBed, bytes: number, chains: number): Program {
  const count = bytes / STRIDE_BYTES;
  const steps = Math.floor(count / chains);
  let starts: number[] = [];
  return {
    bufferBytes: bytes,
    fill(first, buffers) {
      for (let i = 0; i < buffers; i++) kernels.linkChase(first + i * bytes, count, STRIDE_BYTES, count);
      // chains begin equal parts of the cycle apart, so none finds what another has brought
      let at = first;
      starts = Array.from({ length: chains }, () => {
        const offset = at - first;
        at = kernels.chase(at, steps) >>> 0;
        return offset;
      });
    },
    pass(buffer) {
      new Uint32Array(memory.buffer, stateAt, chains).set(starts.map((offset) => buffer + offset));
      kernels.chains(stateAt, chains, steps);
    },
  };
}

/** Bytes that one pass of `press` over an area reads: whole steps of its eight streams (assembly/kernels/pressure.ts). */
export function streamedBytes(bytes: number): number {
  return streamSteps(bytes) * STEP_BYTES;
}
const streamSteps = (bytes: number) => Math.floor((Math.floor(bytes / 8 / 4096) * 4096 - 4032) / (STEP_BYTES / 8));

/** Plain reads in eight streams. */
export function streamProgram({ kernels, stateAt }: HardwareBed, bytes: number): Program {
  return {
    bufferBytes: bytes,
    fill() {},
    pass(buffer) {
      kernels.press(0, buffer, bytes, 0, streamSteps(bytes), 0, stateAt);
    },
  };
}

export interface GemvShape {
  readonly rows: number;
  readonly cols: number;
  readonly group: Group;
  readonly activations: "int8" | "f32";
}

export const matrixBytes = ({ rows, cols, group }: GemvShape) => packedInt4Bytes(rows, cols, group, "none8");

export function gemvProgram(bed: HardwareBed, shape: GemvShape): Program {
  const { kernels, x, out, prepared } = bed;
  const { rows, cols, group, activations } = shape;
  const bytes = matrixBytes(shape);
  const kind = activations === "int8" ? KIND.int4I8 : KIND.int4F32;
  return {
    bufferBytes: bytes,
    fill(first, count) {
      kernels.syntheticInt4(1, 0, rows, cols, group, first);
      for (let i = 1; i < count; i++) kernels.copyBytes(first + i * bytes, first, bytes);
    },
    pass: (buffer) => kernels.matmul(kind, buffer, 0, 0, x, out, rows, rows, cols, 1, group, OFFSET.none8, prepared),
  };
}

/** Probes a table of 2^bits buckets with `count` keys, each built into it once. */
export function joinProgram({ kernels, join, keys }: HardwareBed, bits: number, count: number): Program {
  const bytes = (join.BUCKET_BYTES.value as number) << bits;
  return {
    bufferBytes: bytes,
    fill(first, buffers) {
      join.joinKeys(keys, count, 7);
      join.joinBuild(first, bits, keys, Math.min(count, 2 << bits));
      for (let i = 1; i < buffers; i++) kernels.copyBytes(first + i * bytes, first, bytes);
    },
    pass: (buffer) => void join.joinProbe(buffer, bits, keys, count),
  };
}
