// Weight matrices that a file already holds quantized. They are repacked without loss, never through f32.

import type { StorageFormat, TensorSpec } from "./op.js";
import type { CodeMatrix, Repacker, WeightData } from "./packed.js";
import type { ByteSource } from "./tensor.js";

/** One quantized matrix [rows, cols] = [outputs, inputs] that has not been read yet. */
export interface StoredMatrix {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  /** The form that `read` gives it. */
  readonly format: StorageFormat;
  readonly offset?: TensorSpec["offset"];
  /** The file's own form, for people: `AWQ g128`, `Q4_K`. */
  readonly label: string;
  /** Bytes in the file, scales and zero points included. */
  readonly byteLength: number;
  /** Files that hold it. */
  readonly sources: readonly ByteSource[];
  /** True: column c of `read` multiplies input `order()[c]` (GPTQ's act-order). */
  readonly permuted: boolean;
  /** Column indices [cols] as f32 where `permuted`. */
  order(): Promise<Float32Array>;
  /** Reads and repacks. Throws InputError for what the packed form cannot hold exactly. */
  read(repacker: Repacker): Promise<WeightData>;
  /** The same from the first row to the last in pieces, where the file's layout allows: less memory at once. */
  pieces?(repacker: Repacker): AsyncIterable<WeightPiece>;
  /** Present where the form depends on scales that were not read yet: bf16 or f32 ones, which f16 holds as a rule. */
  settle?(): Promise<StoredMatrix>;
  /** Where the weights lie, for backends that read and repack in their own memory (core/ports.ts `Backend.load`). */
  readonly raw?: RawWeights;
}

/** Bytes [offset, offset + byteLength) of a file, which hold the codes or blocks of a whole matrix. */
export interface RawWeights {
  readonly source: ByteSource;
  readonly offset: number;
  readonly byteLength: number;
  readonly form: RawForm;
}

export type RawForm =
  /** As the matrix's format has them; a backend refuses numbers that are not finite. */
  | { readonly kind: "blocks" }
  /** ggml's 4-bit blocks of 32 columns, row-major; a backend refuses scales that are not finite. */
  | { readonly kind: "ggml4"; readonly type: "q4_0" | "q4_1" }
  /** Codes alone, eight a word. */
  | { readonly kind: "codes"; readonly order: CodeMatrix["order"]; values(): Promise<CodeValues> }
  /** Bodies of 32 bytes of all blocks, row-major; `heads` gives what stands before each. */
  | { readonly kind: "bodies"; heads(): Promise<Uint8Array> };

/** Scales and offsets of codes, as core/packed.ts `CodeMatrix` has them. */
export type CodeValues = Pick<CodeMatrix, "scales" | "offsets" | "rowStride" | "groupStride" | "share">;

/** Rows [row, row + data.rows) of a matrix; row is a multiple of 8. */
export interface WeightPiece {
  readonly row: number;
  readonly data: WeightData;
}

/** Every matrix in its form: reads what opening did not, one matrix after another. Throws InputError. */
export async function settled(stored: ReadonlyMap<string, StoredMatrix>): Promise<ReadonlyMap<string, StoredMatrix>> {
  const found = new Map(stored);
  for (const [name, matrix] of stored) if (matrix.settle) found.set(name, await matrix.settle());
  return found;
}
