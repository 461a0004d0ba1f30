// What the writers of model files take and give: a model as a list of tensors that are asked for one after the other, how
// floats are rounded to a file's forms, what that rounding cost, and a folder that appears whole or not at all.

import type { ModelConfig } from "./config.js";
import type { Group, PackedInt4 } from "./packed.js";

/** One tensor to write; its values are asked for when its turn comes. */
export interface SourceTensor {
  /** Canonical name (core/model.ts). */
  readonly name: string;
  /** As in torch: [outputs, inputs]. */
  readonly shape: readonly number[];
  /** Row-major f32 values. */
  floats(): Promise<Float32Array>;
  /** The type that these values have in their file and that holds them exactly; absent: they were changed or unpacked. */
  readonly dtype?: OwnType;
  /** Its 4-bit form where it has one; a target that can hold these codes keeps them, others round `floats` again. */
  readonly int4?: { readonly group: Group; readonly offset: PackedInt4["offset"]; read(): Promise<PackedInt4> };
  /** The same for forms that hold 4 and 8 bits of any matrix (MLX). */
  readonly affine?: AffineCodes;
}

/** Codes of 4 or 8 bits with an f16 scale and offset a group of columns: value = scale * code + offset. */
export interface AffineCodes {
  readonly bits: 4 | 8;
  /** Columns of a group; divides the row. */
  readonly group: number;
  read(): Promise<{
    /** [rows, cols * bits / 32], first column in the low bits. */
    readonly words: Uint32Array;
    /** f16 bits, [rows, cols / group] each. */
    readonly scales: Uint16Array;
    readonly offsets: Uint16Array;
  }>;
}

/** A model to write: an opened file (formats/write-source.ts), or what compression made of one. */
export interface WriteSource {
  readonly name: string;
  readonly config: ModelConfig;
  readonly tensors: readonly SourceTensor[];
}

/** Types of floats in files. */
export type OwnType = "f32" | "bf16" | "f16";

/** Types of GGUF tensors that are written. */
export type WrittenType = "F32" | "F16" | "Q4_0" | "Q4_1" | "Q8_0";

/** How far written values are from those that were wanted. */
export interface Difference {
  readonly most: number;
  /** Sum of squared differences, and of squared wanted values. */
  readonly squares: number;
  readonly total: number;
}

/** Rounds f32 values to the forms of files, and measures; the loops are in assembly/kernels. */
export interface Rounder {
  /** Whole rows to ggml's blocks. Throws InputError for values that fill no blocks. */
  blocks(type: WrittenType, values: Float32Array): Uint8Array;
  /** Round to nearest, f16 scale and zero point 0..15 for each group of a row (offset zeroU4); cols is a multiple of group. */
  int4(values: Float32Array, rows: number, cols: number, group: Group): PackedInt4;
  /** The f32 values that blocks stand for. */
  unpackBlocks(type: WrittenType, bytes: Uint8Array, rows: number, cols: number): Float32Array;
  unpackInt4(packed: PackedInt4): Float32Array;
  difference(wanted: Float32Array, written: Float32Array): Difference;
}

/** What writing cost in one class of tensors (those that differ in their layer only). */
export interface LossRow {
  /** Canonical name, `N` for the layer. */
  readonly name: string;
  /** The form in the file: F16, Q4_0, AWQ g128. */
  readonly form: string;
  readonly tensors: number;
  /** Of |written - wanted|. */
  readonly maxError: number;
  /** Norm of the difference over the norm of the wanted values. */
  readonly relativeL2: number;
}

/** A folder that is written under a temporary name. */
export interface OutputFolder {
  /** Writes one file and syncs it; gives its bytes. */
  write(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number>;
  /** Gives the folder (or its files) the final name. */
  commit(): Promise<void>;
  /** Removes what was written. Nothing after `commit`. */
  discard(): Promise<void>;
}
