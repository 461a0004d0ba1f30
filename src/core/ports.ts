// The seams: what `model`, `run`, `train` and `compress` take as arguments. Concrete parts are picked by entry points only.

import type { CountedEpoch, LaunchCommand, SourceName, SourceStatus } from "./counters.js";
import type { Op, TensorId, TensorSpec } from "./op.js";
import type { Group, PackedInt4, PackedInt8, PlainF32, WeightData } from "./packed.js";
import type { Region } from "./regions.js";
import type { StoredMatrix } from "./stored.js";
import type { Target } from "./target.js";
import type { ByteSource } from "./tensor.js";

/** What a submitted op list gives back: one entry per `output` op, in order. */
export interface SubmitResult {
  readonly outputs: readonly (Float32Array | Int32Array)[];
}

/**
 * Runs op lists over numbered tensors. Opened by its own `open...` function with a platform; must be closed.
 * `submit` is one epoch (one loop, one command buffer); it resolves when the work is done.
 */
export interface Backend {
  readonly target: Target;
  /** Reserves memory for all tensors. Throws InputError when they do not fit. Called once. */
  allocate(tensors: readonly TensorSpec[]): Promise<void>;
  /** Fills a weight tensor, or its rows from `row` (a multiple of 8) on; the data's format must be that of its spec. */
  upload(id: TensorId, data: WeightData, row?: number): Promise<void>;
  /**
   * Fills a weight tensor from its file without a copy in between; absent where a backend cannot. The matrix must have `raw`.
   * Throws InputError as `upload` does, and for numbers that are not finite.
   */
  load?(id: TensorId, matrix: StoredMatrix): Promise<void>;
  /** Writes f32 rows into an activation or input tensor. */
  write(id: TensorId, values: Float32Array, row?: number): void;
  submit(ops: readonly Op[]): Promise<SubmitResult>;
  /** Bytes this backend holds now. */
  residentBytes(): number;
  close(): Promise<void>;
}

/** Rounds f32 matrices [rows, cols] to packed forms; the loops are in assembly/kernels. */
export interface Quantizer {
  /** Round to nearest, symmetric, one f16 scale per group of columns; a ragged last group is padded with zeros. */
  int4(values: Float32Array, rows: number, cols: number, group: Group): PackedInt4;
  int8(values: Float32Array, rows: number, cols: number): PackedInt8;
  /** f32 values [rows, cols] that packed weights stand for, exactly. */
  unpack(data: PackedInt4 | PackedInt8 | PlainF32): Float32Array;
  /** out[r][order[c]] = values[r][c]: what a matrix whose columns are stored in another order stands for. */
  scatterColumns(values: Float32Array, order: Float32Array, rows: number): Float32Array;
  /** Seeded synthetic weights, generated straight into the packed form, so scaled that outputs keep unit variance. */
  syntheticInt4(seed: number, rows: number, cols: number, group: Group): PackedInt4;
  /** As syntheticInt4, in int8: `rows` rows from row `first` of the matrix on, the same however it is cut. */
  syntheticInt8(seed: number, first: number, rows: number, cols: number): PackedInt8;
}

/** Sums over rows of logits: how far a model's distributions are from a base's, and how well each predicts. */
export interface LogitComparison {
  readonly rows: number;
  /** Sum of KL(base || model) in nats. */
  readonly kl: number;
  /** Sum of -ln p(target) under the model. */
  readonly nll: number;
  /** Rows with the same most likely token in both. */
  readonly same: number;
  /** Rows whose most likely token under the model is the target. */
  readonly right: number;
}

/** Compares logits row by row; the loops are in assembly/kernels. */
export interface LogitComparer {
  /** base and model: [rows, vocab], targets: [rows]. Sums are NaN when a logit is not finite. */
  compare(base: Float32Array, model: Float32Array, targets: Int32Array): LogitComparison;
}

/** How a pointer chase walks a buffer. */
export interface ChaseShape {
  /** One line every so many bytes: 64 touches all, 128 none that a prefetcher of line pairs has brought. */
  readonly strideBytes: number;
  /** The lines of a block are visited at random before the next block's. Small blocks need few page walks. */
  readonly blockBytes: number;
}

/** What a host probe measures memory with; each call runs for some ten ms, and neighbours that disturb it only now and then do not count. */
export interface MemoryProbe {
  /** GB/s (1e9) of reading `bytes` bytes once, as `streams` interleaved linear streams on each of `threads` threads. */
  measureReadGBps(bytes: number, streams: number, threads: number): Promise<number>;
  /** ns a step of a random pointer chase over lines of `bytes` bytes; each step is one load of each of `chains` independent chains. */
  measureChaseNs(bytes: number, chains: number, shape: ChaseShape): Promise<number>;
}

/** What a GPU's own profile is measured with; each call is a few submissions. */
export interface GpuProbe {
  /** ns of a plain read of `bytes` bytes in one dispatch: what products are held against. */
  readNs(bytes: number): Promise<number>;
  /** ns of a dependent read in a buffer of `bytes` bytes (rounded down to a power of two). */
  chaseNs(bytes: number): Promise<number>;
  /** ns that a dispatch takes which waits for the one before it and moves next to nothing. */
  dispatchNs(): Promise<number>;
}

/** Traffic that a calibration makes: loads, stores (each line is read and written back), copies, and fills (no line is read first where the machine can). */
export type PressureKind = "read" | "store" | "copy" | "fill";

/** What a full calibration of a host's memory measures with (`nibblemark calibrate`). */
export interface CalibrationMemory {
  /** Threads that can make traffic; 0 where a page may start none. */
  readonly threads: number;
  /** What the clock behind all figures tells apart, ns. */
  readonly clockStepNs: number;
  /** ns a load of a chase of one chain; see MemoryProbe. */
  chaseNs(bytes: number, shape: ChaseShape): Promise<number>;
  /** ns a step of `chains` chains side by side in DRAM. */
  chainsNs(chains: number): Promise<number>;
  /** ns a load of a chase over `pages` pages of 4 KiB, one line each. */
  pagesNs(pages: number): Promise<number>;
  /** Steps of traffic a second, of 4 KiB each; on this thread alone, over `bytes` bytes. */
  coreStepsPerSecond(kind: PressureKind, bytes: number): Promise<number>;
  /** Starts `threads` threads of traffic and runs the body beside them. */
  underPressure<T>(threads: number, body: (pressure: Pressure) => Promise<T>): Promise<T>;
}

/** Threads that make traffic now. */
export interface Pressure {
  /** From now on each thread makes this kind, with a pause (in multiplications) after each 4 KiB. */
  set(kind: PressureKind, pause: number): void;
  /** Steps a second of all threads, while this thread sleeps. */
  stepsPerSecond(): Promise<number>;
  /** Short pieces of a chase in DRAM, and the steps a second that the threads made meanwhile. */
  chasePieces(): Promise<readonly { readonly ns: number; readonly stepsPerSecond: number }[]>;
}

export interface Clock {
  /** Monotonic, ns. */
  nowNs(): number;
}

/** An export of a WebAssembly module to run on another thread, over a shared memory. */
export interface WorkerJob {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Name of the exported function and its arguments; the worker ends when it returns. */
  readonly entry: string;
  readonly args: readonly number[];
  /** Export that is called with the same arguments when `entry` traps, so that nobody waits for this thread. */
  readonly onTrap?: string;
}

export interface WorkerHandle {
  /** Ends the thread, whatever it does. */
  stop(): Promise<void>;
}

/** Starts threads. `spawnWorker` instantiates the module with `env.memory` and resolves just before the export is called. */
export interface WorkerHost {
  spawnWorker(job: WorkerJob): Promise<WorkerHandle>;
}

/** Small texts that outlast a process or page, by name. Losing them costs time only: neither call ever rejects. */
export interface KeptTexts {
  read(name: string): Promise<string | null>;
  write(name: string, text: string): Promise<void>;
}

/** What touches the operating system or the browser. */
export interface Platform {
  readonly name: string;
  readonly cpuCount: number;
  open(path: string): Promise<ByteSource>;
  readText(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
  list(folder: string): Promise<string[]>;
  /** Writes to a temporary name beside the path and renames: a reader sees all or nothing. */
  writeWhole(path: string, data: string | Uint8Array): Promise<void>;
  /** Bytes of build/NAME.wasm. */
  wasm(name: string): Promise<Uint8Array>;
  /** A file of the package, such as profiles/ or models/. */
  packagePath(relative: string): string;
  readonly clock: Clock;
  /** Runs work that a file decides, such as a chat template; throws InputError once it takes longer. Absent: cannot be stopped here. */
  readonly limited?: <T>(what: string, ms: number, work: () => T) => T;
  /** Threads that share a WebAssembly memory; absent where there are none (a page without cross-origin isolation). */
  readonly workers?: WorkerHost;
  /** The `GPU` object of WebGPU (navigator.gpu), or null where this host has none. */
  gpu?(): Promise<object | null>;
  /** What may be found again, such as kernel variants of a GPU; absent: nothing is kept here. */
  readonly texts?: KeptTexts;
  /** Peak resident memory of this process so far, or null where it cannot be read. */
  peakMemoryBytes(): number | null;
}

/**
 * Where the epochs of a watched program come from; one file a source in src/counters. The watch loop starts the program
 * (`launch` may wrap its command line), stops it before its first instruction, opens the source on the pid, and reads.
 */
export interface CounterSource {
  readonly name: SourceName;
  /** Whether it works here, event by event, with reasons. Nothing is kept open. */
  probe(): Promise<SourceStatus>;
  /** The command to start instead, such as the program under an emulator; null: this source attaches to any process. Throws typed errors for programs it cannot run. */
  readonly launch: ((command: LaunchCommand) => Promise<LaunchCommand>) | null;
  /** Opens on a process, its threads and its children. `waiting`: it is ours and stands before its first instruction; count from its exec on. Throws InputError or UnavailableError. */
  open(pid: number, waiting: boolean): Promise<CounterSession>;
}

/** A program that is being counted. Must be closed. */
export interface CounterSession {
  /** Epochs that ended since the last call: one for sources that are read, zero or more for those that report by themselves. Fast: called at the end of every epoch. */
  read(): readonly CountedEpoch[];
  /**
   * Waits for the process of a pidfd as `read` would be called every `epochNs` for at most `mostNs`; `read` gives those epochs together then.
   * true: the process has ended. Absent: the source is to be read at every epoch.
   */
  gather?(pidfd: number, epochNs: number, mostNs: number): boolean;
  /** What is left after the program has ended. */
  finish(): Promise<readonly CountedEpoch[]>;
  /** All mappings that the program had so far, where the source knows them itself; absent: those of /proc hold. */
  regions?(): readonly Region[];
  /** What the user must know of how it counted: estimates, losses, assumptions. */
  readonly notes: readonly string[];
  /** true: part of the program ran uncounted, so that no delay of the whole can be told. */
  readonly incomplete?: boolean;
  close(): void;
}
