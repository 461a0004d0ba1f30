// Quantized matrices in memory. WASM and WebGPU read the same bytes; only assembly/kernels and shaders index them,
// the reference backend unpacks them on its own.

export type Group = 16 | 32 | 64 | 128;

/**
 * 4-bit weights of a [rows, cols] matrix (rows = outputs), w = scale * (code - 8) unless `offset` says otherwise.
 *
 * Layout "r8": blocks of `rowTile` = 8 rows; K runs inside a block; one record per block and group of `group` columns:
 *
 *     group * 4 bytes of codes, then 8 f16 scales (16 bytes), then by `offset`:
 *       none8   nothing                          w = s * (q - 8)
 *       zeroU4  8 bytes zero points + 8 padding  w = s * (q - z)
 *       bias    8 f16 offsets (16 bytes)         w = s * q + b
 *
 * Codes of a record: 16-byte vectors that alternate rows 0-3 and 4-7; i32 lane = row; in step j (8 columns) byte c of a
 * lane holds column 8j+c in its low and column 8j+4+c in its high nibble. Rows and columns that pad the last block or
 * group have code and scale so that their weight is 0. A record is 144 bytes at group 32 (4.5 bits a weight).
 */
export interface PackedInt4 {
  readonly kind: "int4";
  readonly layoutId: "r8";
  readonly rows: number;
  readonly cols: number;
  readonly group: Group;
  readonly rowTile: 8;
  readonly scaleType: "f16";
  readonly offset: "none8" | "zeroU4" | "bias";
  /** [ceil(rows/8), ceil(cols/group), recordBytes] records, 256-byte aligned where a backend holds them. */
  readonly codes: Uint8Array;
  /** Scales and offsets stand inside the records: one linear stream is faster than two. */
  readonly scales: "inline";
  readonly offsets?: "inline";
}

/** 8-bit weights of a [rows, cols] matrix with one scale per row: w = scale[row] * code. */
export interface PackedInt8 {
  readonly kind: "int8";
  readonly rows: number;
  readonly cols: number;
  /** [rows, cols] row-major, -127..127. */
  readonly codes: Int8Array;
  /** [rows] */
  readonly scales: Float32Array;
}

/** Plain 32-bit weights, [rows, cols] row-major; vectors have rows = 1. */
export interface PlainF32 {
  readonly kind: "f32";
  readonly rows: number;
  readonly cols: number;
  readonly values: Float32Array;
}

/**
 * Block layouts that stay as a file has them: no byte is added, and a kernel takes a block apart when it is multiplied.
 * ggml's names and layouts (ggml-quants.c of llama.cpp); "f16" and "bf16" are plain 16-bit numbers, any number a row.
 * Of Hugging Face's checkpoints come "nf4" (f32 largest magnitude, then codes, first one in the high nibble: bitsandbytes) and
 * groups whose scales f16 cannot hold: f32 scale, f32 offset or zero, then 32 codes of 4 (first one low) or 8 bits;
 * "affine": scale * code + offset, "zero": scale * (code - zero).
 */
export type BlockType =
  | "f16"
  | "bf16"
  | "q5_0"
  | "q5_1"
  | "q8_0"
  | "q2_k"
  | "q3_k"
  | "q4_k"
  | "q5_k"
  | "q6_k"
  | "iq4_nl"
  | "nf4"
  | "affine4"
  | "affine8"
  | "zero4"
  | "zero8";

/** Columns and bytes of one block. */
export const BLOCKS: Readonly<Record<BlockType, { readonly columns: number; readonly bytes: number }>> = {
  f16: { columns: 1, bytes: 2 },
  bf16: { columns: 1, bytes: 2 },
  q5_0: { columns: 32, bytes: 22 },
  q5_1: { columns: 32, bytes: 24 },
  q8_0: { columns: 32, bytes: 34 },
  q2_k: { columns: 256, bytes: 84 },
  q3_k: { columns: 256, bytes: 110 },
  q4_k: { columns: 256, bytes: 144 },
  q5_k: { columns: 256, bytes: 176 },
  q6_k: { columns: 256, bytes: 210 },
  iq4_nl: { columns: 32, bytes: 18 },
  nf4: { columns: 64, bytes: 36 },
  affine4: { columns: 32, bytes: 24 },
  affine8: { columns: 32, bytes: 40 },
  zero4: { columns: 32, bytes: 24 },
  zero8: { columns: 32, bytes: 40 },
};

/** Weights of a [rows, cols] matrix in blocks along the columns; cols is a multiple of the block's columns. */
export interface PackedBlocks {
  readonly kind: "blocks";
  readonly type: BlockType;
  readonly rows: number;
  readonly cols: number;
  /** [rows, cols / columns] blocks, row-major. */
  readonly bytes: Uint8Array;
}

export type WeightData = PackedInt4 | PackedInt8 | PlainF32 | PackedBlocks;

/** 4-bit codes of a file, eight a word, with f16 scales. */
export interface CodeMatrix {
  readonly rows: number;
  readonly cols: number;
  readonly group: Group;
  readonly offset: PackedInt4["offset"];
  /** rows: [rows, cols / 8]; steps: [cols / 8, rows]; awq: [cols, rows / 8] in AutoAWQ's order of nibbles. */
  readonly order: "rows" | "steps" | "awq";
  readonly words: Uint32Array;
  /** f16 bits; of (row, group) at row * rowStride + floor(group / share) * groupStride. */
  readonly scales: Uint16Array;
  /** Zero points 0..15, or f16 bits of offsets, at the same places; null for none8. */
  readonly offsets: Uint8Array | Uint16Array | null;
  readonly rowStride: number;
  readonly groupStride: number;
  readonly share: number;
}

/** Brings weights from the layouts of files into packed forms without loss; the loops are in assembly/kernels. */
export interface Repacker {
  /** ggml's "q4_0" or "q4_1" blocks of `rows` rows to "r8" records of 32 columns. Throws InputError for scales that are not finite. */
  int4(type: "q4_0" | "q4_1", bytes: Uint8Array, rows: number, cols: number): PackedInt4;
  /** 4-bit codes of a file, in any of the known orders, to "r8" records. */
  records(matrix: CodeMatrix): PackedInt4;
  /** Throws InputError when a number or scale of the blocks is not finite; gives the data back. */
  checked(data: PackedBlocks, name: string): PackedBlocks;
  /** [rows, cols] f32, row-major. */
  unpack(data: PackedBlocks | PackedInt4): Float32Array;
}

/** Bytes of one "r8" record. */
export function recordBytes(group: Group, offset: PackedInt4["offset"]): number {
  return group * 4 + 16 + (offset === "none8" ? 0 : 16);
}

/** Bytes of a whole packed matrix, padding included. */
export function packedInt4Bytes(rows: number, cols: number, group: Group, offset: PackedInt4["offset"]): number {
  return Math.ceil(rows / 8) * Math.ceil(cols / group) * recordBytes(group, offset);
}

/** Bytes of a matrix in blocks. */
export function packedBlocksBytes(rows: number, cols: number, type: BlockType): number {
  return rows * (cols / BLOCKS[type].columns) * BLOCKS[type].bytes;
}

export function isBlockType(format: string): format is BlockType {
  return format in BLOCKS;
}
