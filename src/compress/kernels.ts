// build/compress.*.wasm as TypeScript sees it: its exports, the threads that serve it, and the arena that hands out its memory.

import { InputError, UnavailableError } from "../core/errors.js";
import type { Platform, WorkerHandle } from "../core/ports.js";

type Kernel = (...args: number[]) => void;
type Reduction = (...args: number[]) => number;

type KernelName =
  | ("setUp" | "zero" | "add" | "swiglu" | "rope" | "ropeTable" | "ropeTableScaled" | "attend")
  | ("clamp" | "clipSearch" | "divideRows" | "fakeOutput" | "gridScales" | "magnitudeAdd" | "scaleColumns")
  | ("groupHeads" | "spreadHeads")
  | ("solve" | "dampen" | "diagonalOrder" | "gptqSweep" | "permuteBoth" | "permuteColumns" | "hqqRows")
  | ("addDiagonal" | "blockGramAdd" | "crossAdd" | "gramAdd" | "mirror" | "adamStep" | "fold" | "identity")
  | ("transform" | "widen" | "dequantize" | "halves" | "offsets" | "packCodes" | "roundRows" | "means" | "similarity")
  | ("subtract" | "divideBy" | "addScaledDoubles" | "firstColumns" | "overMagnitude");
type ReductionName =
  | ("fakeLoss" | "squaredDistance" | "cholesky" | "inverseFactor" | "diagonalMean" | "cosineGradient" | "magnitudes")
  | (
      | "mapError"
      | "relativeDistance"
      | "sumMagnitude"
      | "sumSquares"
      | "sumDoubles"
      | "scratchBytes"
      | "heapBase"
      | "hasFailed"
      | "features"
    );

export type CompressKernels = Readonly<Record<KernelName, Kernel> & Record<ReductionName, Reduction>>;

/** Byte address in the module's memory. */
export type Address = number;

/** A stack of allocations; grows the memory as needed. */
export interface Arena {
  /** Address of `bytes` bytes, 64-byte aligned, contents undefined. Throws InputError beyond 4 GiB. */
  alloc(bytes: number): Address;
  /** The same, filled with zeros. */
  zeros(bytes: number): Address;
  /** Copies values in and gives their address. */
  place(values: Float32Array | Float64Array | Int32Array | Uint8Array): Address;
  mark(): Address;
  /** Gives back everything allocated after `mark()`. */
  release(mark: Address): void;
  /** Views; valid until the next allocation. */
  floats(at: Address, count: number): Float32Array;
  doubles(at: Address, count: number): Float64Array;
  ints(at: Address, count: number): Int32Array;
  bytes(at: Address, count: number): Uint8Array;
  /** Most bytes that were in use at once. */
  peakBytes(): number;
}

/** The module with its threads; must be closed. */
export interface CompressModule {
  readonly kernels: CompressKernels;
  readonly arena: Arena;
  readonly threads: number;
  close(): Promise<void>;
}

export interface CompressOptions {
  readonly variant: "simd" | "scalar";
  readonly threads: number;
  /** Sizes that scratch is made for: widest input of a matrix, most tokens of a sample, largest group. */
  readonly cols: number;
  readonly tokens: number;
  readonly group: number;
}

const PAGE_BYTES = 65536;
/** One page less than 4 GiB: every address and size fits 32 bits. */
const MAX_PAGES = 65535;
const CONTROL_BYTES = 512;

function makeArena(memory: WebAssembly.Memory, base: number): Arena {
  let top = Math.ceil(base / 64) * 64;
  let peak = top;
  const grow = () => {
    const missing = top + 64 - memory.buffer.byteLength;
    if (missing <= 0) return;
    const pages = Math.ceil(missing / PAGE_BYTES);
    if (memory.buffer.byteLength / PAGE_BYTES + pages > MAX_PAGES) {
      const remedy = "Compress a smaller model, or take fewer calibration tokens";
      throw new InputError("compress", "memory", `${Math.ceil(top / 2 ** 20)} MiB are needed, 4095 can be had`, remedy);
    }
    memory.grow(pages);
  };
  const alloc = (bytes: number): Address => {
    const address = top;
    top += Math.ceil(bytes / 64) * 64;
    peak = Math.max(peak, top);
    grow();
    return address;
  };
  const bytesAt = (at: Address, count: number) => new Uint8Array(memory.buffer, at, count);
  return {
    alloc,
    zeros(bytes) {
      const address = alloc(bytes);
      bytesAt(address, bytes).fill(0);
      return address;
    },
    place(values) {
      const address = alloc(values.byteLength);
      bytesAt(address, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      return address;
    },
    mark: () => top,
    release(mark) {
      top = mark;
    },
    floats: (at, count) => new Float32Array(memory.buffer, at, count),
    doubles: (at, count) => new Float64Array(memory.buffer, at, count),
    ints: (at, count) => new Int32Array(memory.buffer, at, count),
    bytes: bytesAt,
    peakBytes: () => peak,
  };
}

/**
 * Opens the module. With threads its memory is shared and `threads - 1` workers serve it; where the platform has none it runs on one.
 * @throws UnavailableError when the build is missing
 */
export async function openCompress(platform: Platform, options: CompressOptions): Promise<CompressModule> {
  const threads = options.variant === "simd" && platform.workers ? Math.max(1, options.threads) : 1;
  const shared = threads > 1;
  const module = await WebAssembly.compile(
    (await platform.wasm(`compress.${options.variant}${shared ? "-threads" : ""}`)) as BufferSource,
  );
  const memory = new WebAssembly.Memory({ initial: 64, maximum: MAX_PAGES, shared });
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const kernels = instance.exports as unknown as CompressKernels;
  const arena = makeArena(memory, kernels.heapBase() >>> 0);
  const control = arena.zeros(CONTROL_BYTES);
  const size = kernels.scratchBytes(options.cols, options.tokens, options.group);
  const scratches = Array.from({ length: threads }, () => arena.alloc(size));
  const workers = await startWorkers(platform, module, memory, control, scratches.slice(1));
  kernels.setUp(control, scratches[0], workers.length);
  return {
    kernels,
    arena,
    threads,
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}

function startWorkers(
  platform: Platform,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  control: Address,
  scratches: readonly Address[],
): Promise<WorkerHandle[]> {
  const { workers } = platform;
  if (!workers && scratches.length > 0) {
    throw new UnavailableError("threads", "this platform starts none", "Use one thread");
  }
  const start = (scratch: Address) =>
    (workers as NonNullable<typeof workers>).spawnWorker({
      ...{ module, memory, entry: "serve", args: [control, scratch], onTrap: "abandon" },
    });
  return Promise.all(scratches.map(start));
}
