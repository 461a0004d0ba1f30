// 4-bit codes of files to the "r8" records of core/packed.ts. Every source is brought to one word a row and step of eight
// columns (lowest nibble = first column); the words are spread to the records' order here and nowhere else.

import {
  BLOCKS,
  type Group,
  type PackedInt4,
  packedBlocksBytes,
  packedInt4Bytes,
  recordBytes,
} from "../core/packed.js";

/** Shape of a matrix of 4-bit codes. */
export interface CodeShape {
  readonly rows: number;
  readonly cols: number;
  readonly group: Group;
  readonly offset: PackedInt4["offset"];
}

/** Scale and offset of one (row, group), both as they stand in the record: f16 bits, or a zero point 0..15. */
export interface GroupValues {
  readonly scale: (row: number, group: number) => number;
  readonly offset: (row: number, group: number) => number;
}

/** Where the word of (row 0.., step) goes. */
export interface R8Writer {
  readonly packed: PackedInt4;
  /** The whole matrix as words. */
  readonly words: Uint32Array;
  readonly recordWords: number;
  readonly groups: number;
}

/** Largest group of the records that the file's group is a multiple of; null when there is none. */
export function groupFor(stored: number, cols: number): Group | null {
  const sizes: readonly Group[] = [128, 64, 32, 16];
  return sizes.find((size) => stored % size === 0 && cols % size === 0) ?? null;
}

/** Columns 0..3 to the low nibbles of the four bytes, columns 4..7 to the high ones. */
export function spreadWord(word: number): number {
  let low = word & 0xffff;
  let high = word >>> 16;
  low = (low | (low << 8)) & 0x00ff00ff;
  low = (low | (low << 4)) & 0x0f0f0f0f;
  high = (high | (high << 8)) & 0x00ff00ff;
  high = (high | (high << 4)) & 0x0f0f0f0f;
  return low | (high << 4);
}

/** Fills scales and offsets; codes are left 0 but those of rows that only pad a block, whose scale is 0. */
export function openR8({ rows, cols, group, offset }: CodeShape, values: GroupValues): R8Writer {
  const codes = new Uint8Array(packedInt4Bytes(rows, cols, group, offset));
  const size = recordBytes(group, offset);
  const groups = cols / group;
  const halves = new Uint16Array(codes.buffer);
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / 8) * groups * size + group * 4;
    const lane = row % 8;
    for (let g = 0; g < groups; g++) {
      const at = first + g * size;
      halves[at / 2 + lane] = values.scale(row, g);
      if (offset === "zeroU4") codes[at + 16 + lane] = values.offset(row, g);
      else if (offset === "bias") halves[at / 2 + 8 + lane] = values.offset(row, g);
    }
  }
  const packed = { kind: "int4", layoutId: "r8", rows, cols, group, rowTile: 8, scaleType: "f16", offset } as const;
  return {
    packed: { ...packed, codes, scales: "inline", ...(offset === "none8" ? {} : { offsets: "inline" }) },
    words: new Uint32Array(codes.buffer),
    recordWords: size / 4,
    groups,
  };
}

/** words: [rows, cols / 8], row-major (compressed-tensors, MLX, ONNX after joining bytes). */
export function packRowWords(writer: R8Writer, words: Uint32Array): PackedInt4 {
  const { packed, words: out, recordWords, groups } = writer;
  const steps = packed.group / 8;
  let from = 0;
  for (let row = 0; row < packed.rows; row++) {
    let to = (row >> 3) * groups * recordWords + (row & 7);
    for (let g = 0; g < groups; g++, to += recordWords) {
      for (let step = 0; step < steps; step++) out[to + step * 8] = spreadWord(words[from++]);
    }
  }
  return packed;
}

/** words: [cols / 8, rows]: the same words, all rows of a step side by side (GPTQ). */
export function packStepWords(writer: R8Writer, words: Uint32Array): PackedInt4 {
  const { packed, words: out, recordWords, groups } = writer;
  const { rows, group } = packed;
  const steps = group / 8;
  const blockWords = groups * recordWords;
  let from = 0;
  for (let g = 0; g < groups; g++) {
    for (let step = 0; step < steps; step++) {
      const first = g * recordWords + step * 8;
      for (let row = 0; row < rows; row++) out[first + (row >> 3) * blockWords + (row & 7)] = spreadWord(words[from++]);
    }
  }
  return packed;
}

/** Column 0..7 of a spread word. */
function nibbleOf(word: number, column: number): number {
  return (word >>> ((column & 3) * 8 + (column & 4))) & 15;
}

/**
 * The same codes as blocks of 32 columns with f32 scales (core/packed.ts), for scales that f16 cannot hold.
 * @param values scale and offset (or zero point) of (row, group of the records) as numbers
 */
export function blocksOfR8(
  { packed, words, recordWords, groups }: R8Writer,
  type: "affine4" | "zero4",
  values: GroupValues,
) {
  const { rows, cols, group } = packed;
  const bytes = new Uint8Array(packedBlocksBytes(rows, cols, type));
  const floats = new Float32Array(bytes.buffer);
  for (let row = 0; row < rows; row++) {
    for (let first = 0; first < cols; first += 32) {
      const g = Math.floor(first / group);
      const at = ((row * cols + first) / 32) * BLOCKS[type].bytes;
      floats[at / 4] = values.scale(row, g);
      floats[at / 4 + 1] = values.offset(row, g);
      const record = ((row >> 3) * groups + g) * recordWords + (row & 7) + first - g * group;
      for (let i = 0; i < 32; i += 2) {
        const word = words[record + (i >> 3) * 8];
        bytes[at + 8 + i / 2] = nibbleOf(word, i & 7) | (nibbleOf(word, (i & 7) + 1) << 4);
      }
    }
  }
  return { kind: "blocks", type, rows, cols, bytes } as const;
}
