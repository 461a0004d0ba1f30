// Weight matrices that a file already holds quantized. They are repacked without loss, never through f32.

import type { StorageFormat, TensorSpec } from "./op.js";
import type { Repacker, WeightData } from "./packed.js";
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
}

/** Rows [row, row + data.rows) of a matrix; row is a multiple of 8. */
export interface WeightPiece {
  readonly row: number;
  readonly data: WeightData;
}
