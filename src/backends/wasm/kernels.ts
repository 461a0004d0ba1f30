// The kernels module as TypeScript sees it: exports, instances and the memory that they share.

import { UnavailableError } from "../../core/errors.js";
import type { BlockType } from "../../core/packed.js";
import type { Platform } from "../../core/ports.js";

export type WasmVariant = "scalar" | "simd" | "relaxed";

/** What matmul of assembly/kernels/matmul.ts takes. */
type Product = [
  kind: number,
  weight: number,
  scales: number,
  bias: number,
  x: number,
  out: number,
  outStride: number,
  rows: number,
  cols: number,
  tokens: number,
  group: number,
  offset: number,
  prepared: number,
];

/** Exports of build/kernels.*.wasm; pointers are byte addresses (unsigned, though they arrive signed). */
export interface Kernels {
  features(): number;
  heapBase(): number;
  setUp(control: number, scratch: number, workers: number): void;
  /** 1 when a worker has trapped, 2 when one has vanished inside a job: the instance cannot run shared jobs any more. */
  hasFailed(): number;
  /** Units of shared jobs that workers have done so far. */
  helpedUnits(): number;
  readonly CONTROL_BYTES: WebAssembly.Global;
  scratchBytes(context: number): number;
  preparedBytes(cols: number, tokens: number): number;
  int8Bytes(rows: number, cols: number): number;
  int8Tile(codes: number, first: number, count: number, cols: number, weight: number): void;
  matmul(...product: Product): void;
  setPart(
    index: number,
    weight: number,
    scales: number,
    bias: number,
    out: number,
    outStride: number,
    rows: number,
  ): void;
  setSource(from: number, partner: number, eps: number): void;
  matmulParts(...product: [...Product, parts: number, source: number]): void;
  attentionInt8(
    q: number,
    k: number,
    v: number,
    kScales: number,
    vScales: number,
    capacity: number,
    out: number,
    rows: number,
    start: number,
    context: number,
    heads: number,
    kvHeads: number,
    headDim: number,
    causal: number,
  ): void;
  storeInt8(
    x: number,
    rows: number,
    kvHeads: number,
    headDim: number,
    start: number,
    capacity: number,
    codes: number,
    scales: number,
  ): void;
  argmaxRows(x: number, rows: number, cols: number, out: number): void;
  rmsnorm(x: number, weight: number, out: number, rows: number, cols: number, eps: number): void;
  layernorm(x: number, weight: number, bias: number, out: number, rows: number, cols: number, eps: number): void;
  softmax(x: number, out: number, rows: number, cols: number): void;
  ropeTable(table: number, rows: number, start: number, headDim: number, theta: number): void;
  ropeTableScaled(table: number, rows: number, start: number, headDim: number, theta: number, factors: number): void;
  gatherColumns(x: number, order: number, out: number, rows: number, cols: number, outCols: number): void;
  rope(x: number, table: number, rows: number, heads: number, headDim: number, half: number): void;
  add(x: number, y: number, out: number, rows: number, cols: number, yRows: number): void;
  silu(x: number, out: number, count: number): void;
  gelu(x: number, out: number, count: number): void;
  quickGelu(x: number, out: number, count: number): void;
  swiglu(gate: number, up: number, out: number, count: number): void;
  embedF32(table: number, cols: number, token: number, out: number): void;
  embedInt8(table: number, scales: number, cols: number, token: number, out: number): void;
  embedInt4(table: number, cols: number, group: number, offset: number, token: number, out: number): void;
  matmulBlocks(
    type: number,
    weight: number,
    bias: number,
    x: number,
    out: number,
    outStride: number,
    rows: number,
    cols: number,
    tokens: number,
    int8: number,
    prepared: number,
  ): void;
  embedBlocks(table: number, type: number, cols: number, token: number, out: number, scratch: number): void;
  firstBadRow(type: number, from: number, rows: number, cols: number, scratch: number): number;
  packBlocks(type: number, from: number, count: number, out: number): void;
  repackInt4(from: number, count: number, cols: number, offset: number, out: number): number;
  patchRows(image: number, size: number, patch: number, out: number): void;
  copyBytes(out: number, from: number, bytes: number): void;
  packInt4(values: number, count: number, cols: number, group: number, out: number): void;
  packInt4Zero(values: number, count: number, cols: number, group: number, out: number): void;
  addDifference(wanted: number, written: number, count: number, out: number): void;
  packInt8(values: number, rows: number, cols: number, codes: number, scales: number): void;
  syntheticInt4(seed: number, first: number, count: number, cols: number, group: number, out: number): void;
  syntheticInt8(seed: number, first: number, count: number, cols: number, codes: number, scales: number): void;
  spreadCodes(
    order: number,
    words: number,
    rows: number,
    cols: number,
    first: number,
    count: number,
    group: number,
    offset: number,
    out: number,
  ): void;
  spreadScales(
    scales: number,
    offsets: number,
    rows: number,
    cols: number,
    first: number,
    count: number,
    group: number,
    offset: number,
    rowStride: number,
    groupStride: number,
    share: number,
    out: number,
  ): void;
  joinBlocks(heads: number, headBytes: number, bodies: number, count: number, out: number): void;
  kldEncode(logits: number, rows: number, vocab: number, out: number): void;
  kldCompare(records: number, logits: number, targets: number, rows: number, vocab: number, out: number): void;
  readBytes(start: number, bytes: number, streams: number): number;
  /** Calls `threads` threads together and waits until each was there. */
  rendezvous(threads: number): number;
  linkChase(start: number, count: number, stride: number, block: number): void;
  chase(from: number, steps: number): number;
  chains(state: number, count: number, steps: number): void;
  press(kind: number, area: number, bytes: number, offset: number, steps: number, pause: number, sink: number): number;
  readonly PRESSURE_BYTES: WebAssembly.Global;
  relaxedProbe(at: number): void;
}

/** Matmul kinds and int4 offsets, as assembly/kernels/job.ts numbers them. */
export const KIND = { int4I8: 0, int4F32: 1, int8I8: 2, int8F32: 3, f32: 4 } as const;
export const OFFSET = { none8: 0, zeroU4: 1, bias: 2 } as const;

/** Matrices of one job, and the ops that can make their activations, as assembly/kernels/job.ts and fused.ts number them. */
export const MOST_PARTS = 3;
export const SOURCE = { none: 0, rmsnorm: 1, swiglu: 2 } as const;

/** Block types as assembly/kernels/blocks.ts numbers them. */
export const BLOCK_TYPE: Readonly<Record<BlockType, number>> = {
  f16: 0,
  bf16: 1,
  q5_0: 2,
  q5_1: 3,
  q8_0: 4,
  q2_k: 5,
  q3_k: 6,
  q4_k: 7,
  q5_k: 8,
  q6_k: 9,
  iq4_nl: 10,
  nf4: 11,
  affine4: 12,
  affine8: 13,
  zero4: 14,
  zero8: 15,
};

export const PAGE_BYTES = 65536;
/** One page less than 4 GiB, so that every address and size fits 32 bits. */
export const MAX_PAGES = 65535;

export interface Loaded {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
}

/** A fresh instance with a small memory of its own (`shared`: a memory that threads can share). */
export async function loadKernels(platform: Platform, variant: WasmVariant, shared = false): Promise<Loaded> {
  const bytes = await platform.wasm(`kernels.${variant}${shared ? "-threads" : ""}`);
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(bytes as BufferSource);
  } catch {
    throw new UnavailableError(
      `WASM variant ${variant}`,
      "this engine does not know its instructions",
      "Use another variant",
    );
  }
  if (variant === "scalar") {
    const { exports } = await WebAssembly.instantiate(module, {});
    return { kernels: exports as unknown as Kernels, memory: exports.memory as WebAssembly.Memory, module };
  }
  const memory = new WebAssembly.Memory({ initial: 2, maximum: MAX_PAGES, shared });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return { kernels: exports as unknown as Kernels, memory, module };
}
