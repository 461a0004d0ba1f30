// A kernels instance with a large buffer of rotating int4 weights: no weight is read again before all others were, so a
// cache smaller than the buffer holds nothing of it.

import { openArena } from "../src/backends/wasm/arena.js";
import { type Kernels, KIND, loadKernels, OFFSET, type WasmVariant } from "../src/backends/wasm/kernels.js";
import { startThreads } from "../src/backends/wasm/threads.js";
import { type Group, packedInt4Bytes } from "../src/core/packed.js";
import type { Platform } from "../src/core/ports.js";

export interface BedShape {
  readonly rows: number;
  readonly cols: number;
  readonly group: Group;
  readonly tokens: number;
}

export interface Bed {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly matrixBytes: number;
  readonly matrices: number;
  readonly x: number;
  readonly out: number;
  /** Address of the next `count` matrices, round and round. */
  next(count: number): number;
  /** One product of the matrix at an address with x. */
  multiply(weight: number, activations: "f32" | "int8"): void;
  /** Uses one thread or all. */
  setThreads(all: boolean): void;
  close(): Promise<void>;
}

/** Fills at least `bytes` bytes with copies of one seeded matrix. */
export async function openBed(
  platform: Platform,
  variant: WasmVariant,
  shape: BedShape,
  bytes: number,
  threads: number,
): Promise<Bed> {
  const { rows, cols, group, tokens } = shape;
  const loaded = await loadKernels(platform, variant, true);
  const { kernels, memory } = loaded;
  const arena = openArena(memory, kernels.heapBase() >>> 0, "benchmark");
  const control = arena.take(kernels.CONTROL_BYTES.value);
  const scratches = Array.from({ length: threads }, () => arena.take(kernels.scratchBytes(0) >>> 0));
  const [x, out] = [arena.take(tokens * cols * 4), arena.take(tokens * rows * 4)];
  const prepared = arena.take(kernels.preparedBytes(cols, tokens) >>> 0);
  const matrixBytes = packedInt4Bytes(rows, cols, group, "none8");
  const matrices = Math.ceil(bytes / matrixBytes);
  const start = arena.take(matrices * matrixBytes);
  arena.grow();
  kernels.syntheticInt4(1, 0, rows, cols, group, start);
  for (let i = 1; i < matrices; i++) kernels.copyBytes(start + i * matrixBytes, start, matrixBytes);
  const values = new Float32Array(memory.buffer, x, tokens * cols);
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(i * 1.7) + Math.cos(i * 0.31 + 1);
  const workers = await startThreads(platform, loaded, control, scratches);
  let turn = 0;
  return {
    ...{ kernels, memory, matrixBytes, matrices, x, out },
    next(count) {
      if (turn + count > matrices) turn = 0;
      turn += count;
      return start + (turn - count) * matrixBytes;
    },
    multiply(weight, activations) {
      const kind = activations === "int8" ? KIND.int4I8 : KIND.int4F32;
      kernels.matmul(kind, weight, 0, 0, x, out, rows, rows, cols, tokens, group, OFFSET.none8, prepared);
    },
    setThreads(all) {
      kernels.setUp(control, scratches[0], all ? workers.length : 0);
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}
