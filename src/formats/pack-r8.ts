// Shapes of 4-bit matrices, and their codes as blocks with f32 scales where f16 cannot hold the scales.

import {
  BLOCKS,
  type Group,
  type PackedBlocks,
  type PackedInt4,
  packedBlocksBytes,
  recordBytes,
} from "../core/packed.js";

/** Shape of a matrix of 4-bit codes. */
export interface CodeShape {
  readonly rows: number;
  readonly cols: number;
  readonly group: Group;
  readonly offset: PackedInt4["offset"];
}

type Value = (row: number, group: number) => number;

/** Largest group of the records that the file's group is a multiple of; null when there is none. */
export function groupFor(stored: number, cols: number): Group | null {
  const sizes: readonly Group[] = [128, 64, 32, 16];
  return sizes.find((size) => stored % size === 0 && cols % size === 0) ?? null;
}

/** The codes of records without offsets as blocks of 32 columns. @param offset added, or the zero point */
export function blocksOfR8(packed: PackedInt4, type: "affine4" | "zero4", scale: Value, offset: Value): PackedBlocks {
  const { rows, cols, group, codes } = packed;
  const bytes = new Uint8Array(packedBlocksBytes(rows, cols, type));
  const floats = new Float32Array(bytes.buffer);
  const record = recordBytes(group, "none8");
  const groups = cols / group;
  for (let row = 0; row < rows; row++) {
    for (let first = 0; first < cols; first += 32) {
      const g = Math.floor(first / group);
      const at = ((row * cols + first) / 32) * BLOCKS[type].bytes;
      floats[at / 4] = scale(row, g);
      floats[at / 4 + 1] = offset(row, g);
      const from = ((row >> 3) * groups + g) * record + (row & 7) * 4 + (first - g * group) * 4;
      for (let i = 0; i < 32; i += 2) {
        // Four bytes hold eight columns: the first four in their low nibbles.
        const pair = from + (i >> 3) * 32 + (i & 3);
        const shift = i & 4;
        bytes[at + 8 + i / 2] = ((codes[pair] >> shift) & 15) | (((codes[pair + 1] >> shift) & 15) << 4);
      }
    }
  }
  return { kind: "blocks", type, rows, cols, bytes };
}

/** Nibbles of words [groups, ceil(rows / 8)] as bytes [groups, rows]. @param nibble place of outputs 0..7 in a word */
export function zeroBytes(
  words: Uint32Array,
  groups: number,
  rows: number,
  nibble: readonly number[],
  add: number,
): Uint8Array {
  const zeros = new Uint8Array(groups * rows);
  const across = Math.ceil(rows / 8);
  for (let g = 0; g < groups; g++) {
    for (let row = 0; row < rows; row++) {
      zeros[g * rows + row] = ((words[g * across + (row >> 3)] >>> (4 * nibble[row & 7])) + add) & 15;
    }
  }
  return zeros;
}
