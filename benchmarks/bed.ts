// A kernels instance with a large buffer of rotating int4 weights: no weight is read again before all others were, so a
// cache smaller than the buffer holds nothing of it.

import { openArena } from "../src/backends/wasm/arena.js";
import {
  type Kernels,
  KIND,
  type Loaded,
  loadKernels,
  OFFSET,
  type WasmVariant,
} from "../src/backends/wasm/kernels.js";
import { startThreads } from "../src/backends/wasm/threads.js";
import { wasmTargets } from "../src/backends/wasm/variants.js";
import { type Group, packedInt4Bytes } from "../src/core/packed.js";
import type { Platform } from "../src/core/ports.js";

/** The variant of the last target that runs here with so many threads or fewer: targets go from slow to fast. */
export async function fastestVariant(platform: Platform, threads: number): Promise<WasmVariant> {
  const running = (await wasmTargets(platform, threads)).filter(({ available }) => available);
  return running[running.length - 1].target.variant as WasmVariant;
}

export interface BedShape {
  readonly rows: number;
  readonly cols: number;
  readonly group: Group;
  readonly tokens: number;
  /** Zero points, as AWQ and GPTQ have them; default symmetric. */
  readonly offset?: "none8" | "zeroU4";
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
  const { rows, cols, group, tokens, offset = "none8" } = shape;
  const loaded = await loadKernels(platform, variant, true);
  const { kernels, memory } = loaded;
  const arena = openArena(memory, kernels.heapBase() >>> 0, "benchmark");
  const control = arena.take(kernels.CONTROL_BYTES.value);
  const scratches = Array.from({ length: threads }, () => arena.take(kernels.scratchBytes(0) >>> 0));
  const [x, out] = [arena.take(tokens * cols * 4), arena.take(tokens * rows * 4)];
  const prepared = arena.take(kernels.preparedBytes(cols, tokens) >>> 0);
  const matrixBytes = packedInt4Bytes(rows, cols, group, offset);
  const matrices = Math.ceil(bytes / matrixBytes);
  const start = arena.take(matrices * matrixBytes);
  arena.grow();
  if (offset === "none8") kernels.syntheticInt4(1, 0, rows, cols, group, start);
  else zeroPointRows(loaded, shape, start);
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
      kernels.matmul(kind, weight, 0, 0, x, out, rows, rows, cols, tokens, group, OFFSET[offset], prepared);
    },
    setThreads(all) {
      kernels.setUp(control, scratches[0], all ? workers.length : 0);
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}

/** Blocks of eight rounded rows with zero points; the second block's place holds their values meanwhile. */
function zeroPointRows({ kernels, memory }: Loaded, { rows, cols, group }: BedShape, start: number): void {
  const blockBytes = packedInt4Bytes(8, cols, group, "zeroU4");
  const at = start + Math.ceil(blockBytes / 256) * 256;
  const values = new Float32Array(memory.buffer, at, 8 * cols);
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(i * i * 0.37) / Math.sqrt(cols);
  kernels.packInt4Zero(at, 8, cols, group, start);
  for (let row = 8; row < rows; row += 8) kernels.copyBytes(start + (row / 8) * blockBytes, start, blockBytes);
}
