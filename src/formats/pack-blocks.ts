// 8-bit codes with a scale and an offset a group to blocks of 32 columns (core/packed.ts "affine8" and "zero8").

import { BLOCKS, type PackedBlocks, packedBlocksBytes } from "../core/packed.js";

type Value = (row: number, column: number) => number;

/**
 * @param codes [rows, cols] bytes, row-major; cols a multiple of 32
 * @param scale of the group that holds (row, column)
 * @param offset added ("affine8"), or the zero point ("zero8")
 */
export function wideBlocks(
  type: "affine8" | "zero8",
  rows: number,
  cols: number,
  codes: Uint8Array,
  scale: Value,
  offset: Value,
): PackedBlocks {
  const bytes = new Uint8Array(packedBlocksBytes(rows, cols, type));
  const floats = new Float32Array(bytes.buffer);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < cols; column += 32) {
      floats[at / 4] = scale(row, column);
      floats[at / 4 + 1] = offset(row, column);
      const from = row * cols + column;
      bytes.set(codes.subarray(from, from + 32), at + 8);
      at += BLOCKS[type].bytes;
    }
  }
  return { kind: "blocks", type, rows, cols, bytes };
}
