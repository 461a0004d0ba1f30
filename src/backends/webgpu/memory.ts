// Tensors in GPU buffers. Weights stay packed as core/packed.ts lays them out (int8 rows padded to 32 columns); what exceeds
// a binding is cut into ranges of rows with a buffer each.

import { InputError } from "../../core/errors.js";
import { headDimOf, type TensorId, type TensorSpec } from "../../core/op.js";
import { type Group, isBlockType, type PackedInt4, packedBlocksBytes, packedInt4Bytes } from "../../core/packed.js";

/** GPUBufferUsage, spelled out: Node has no such global. */
export const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128, queryResolve: 512 } as const;

export interface Held {
  /** Never used twice on a device. */
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly bytes: number;
}

/** Rows of a tensor that share a buffer. */
export interface Chunk {
  readonly firstRow: number;
  readonly rows: number;
  held: Held;
}

export interface Tensor {
  readonly spec: TensorSpec;
  readonly chunks: readonly Chunk[];
  offset: PackedInt4["offset"];
}

export interface Heap {
  take(bytes: number, label: string, usage?: number): Held;
  release(held: Held): void;
  bytes(): number;
}

/** Bytes of a storage binding are a multiple of four. */
export const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

export function openHeap(device: GPUDevice): Heap {
  let next = 0;
  let total = 0;
  return {
    take(bytes, label, usage = USAGE.storage | USAGE.copySrc | USAGE.copyDst) {
      const size = Math.max(16, roundUp(bytes, 16));
      total += size;
      return { id: next++, buffer: device.createBuffer({ size, usage, label }), bytes: size };
    },
    release({ buffer, bytes }) {
      total -= bytes;
      buffer.destroy();
    },
    bytes: () => total,
  };
}

/** Columns that share a scale of an int4 format; 0 for others. */
export function groupIn(format: TensorSpec["format"]): Group | 0 {
  return format.startsWith("int4-g") ? (Number(format.slice("int4-g".length)) as Group) : 0;
}

/** Bytes of a row of int8 weights. */
export const int8Stride = (cols: number): number => roundUp(cols, 32);

/** Bytes of `rows` rows of a tensor in a buffer of their own. */
export function bytesOf({ format, cols, class: of, ...rest }: TensorSpec, offset: PackedInt4["offset"], rows: number) {
  if (format === "f32") return rows * cols * 4;
  if (format === "int8" && of === "kv") {
    const headDim = headDimOf({ format, cols, class: of, ...rest });
    return rows * (cols / headDim) * (4 + roundUp(headDim, 4));
  }
  if (format === "int8") return roundUp(rows, 4) * 4 + rows * int8Stride(cols);
  const group = groupIn(format);
  if (group) return packedInt4Bytes(rows, cols, group, offset);
  return isBlockType(format) ? packedBlocksBytes(rows, cols, format) : 0;
}

/** Most rows, a multiple of 8, that fit a binding. */
function rowsThatFit(spec: TensorSpec, offset: PackedInt4["offset"], most: number): number {
  if (bytesOf(spec, offset, spec.rows) <= most) return spec.rows;
  const rows = Math.floor(most / (bytesOf(spec, offset, 8) / 8) / 8) * 8;
  if (spec.class === "weights" && rows > 0) return rows;
  const problem = `[${spec.rows}, ${spec.cols}] needs ${bytesOf(spec, offset, spec.rows)} bytes, this device binds ${most} at once`;
  throw new InputError(spec.name, "memory", problem, "Use a shorter context or a smaller model");
}

/** Buffers of one tensor. Throws InputError for activations and caches beyond a binding. */
export function placeTensor(heap: Heap, spec: TensorSpec, offset: PackedInt4["offset"], most: number): Tensor {
  const step = rowsThatFit(spec, offset, most);
  const chunks = Array.from({ length: Math.ceil(spec.rows / step) }, (_, i) => {
    const rows = Math.min(step, spec.rows - i * step);
    return { firstRow: i * step, rows, held: heap.take(bytesOf(spec, offset, rows), spec.name) };
  });
  return { spec, chunks, offset };
}

export function tensorOf(tensors: readonly Tensor[], id: TensorId): Tensor {
  const found = tensors[id];
  if (found) return found;
  throw new InputError("op list", `tensor ${id}`, "was never allocated", "Allocate the graph's table first");
}

/** Throws InputError when `rows` rows from `row` on do not exist. */
export function checkRows({ name, rows: all }: TensorSpec, row: number, rows: number): void {
  if (row >= 0 && row + rows <= all) return;
  const problem = `has ${all} rows, rows ${row} to ${row + rows - 1} were asked for`;
  throw new InputError(name, "rows", problem, "Shorten the input or allocate a longer context");
}
