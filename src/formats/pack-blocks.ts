// Matrices whose file keeps scales and codes of blocks apart (NF4, 8-bit codes), joined block by block (core/packed.ts
// "nf4", "affine8" and "zero8").

import { BLOCKS, type PackedBlocks, packedBlocksBytes } from "../core/packed.js";
import type { StoredMatrix } from "../core/stored.js";
import type { LazyTensor } from "../core/tensor.js";
import { inOrder, readBytes } from "./quant-scheme.js";

type JoinedType = "nf4" | "affine8" | "zero8";
const BODY_BYTES = 32;

/**
 * f32 scale and offset of each block of 32 columns.
 * @param scales, offsets [rows, groups], one for `group` columns; offsets are added ("affine8") or zero points ("zero8")
 */
export function wideHeads(scales: Float32Array, offsets: ArrayLike<number>, group: number): Uint8Array {
  const share = group / 32;
  const floats = new Float32Array(2 * scales.length * share);
  for (let i = 0, at = 0; i < scales.length; i++) {
    for (let block = 0; block < share; block++) {
      floats[at++] = scales[i];
      floats[at++] = offsets[i];
    }
  }
  return new Uint8Array(floats.buffer);
}

/** What a stored matrix has of this form. @param codes bodies of the blocks, row-major; @param heads what stands before each */
export function joinedBlocks(
  type: JoinedType,
  rows: number,
  cols: number,
  codes: LazyTensor,
  heads: () => Promise<Uint8Array>,
): Pick<StoredMatrix, "format" | "permuted" | "order" | "read" | "raw"> {
  const { source, offset, byteLength } = codes;
  const form = { kind: "bodies", heads } as const;
  return {
    ...{ format: type, permuted: false, order: inOrder(cols), raw: { source, offset, byteLength, form } },
    read: async () => joinHeads(type, rows, cols, await heads(), await readBytes(codes)),
  };
}

/** Blocks of heads and bodies. */
export function joinHeads(type: JoinedType, rows: number, cols: number, heads: Uint8Array, bodies: Uint8Array) {
  const headBytes = BLOCKS[type].bytes - BODY_BYTES;
  const bytes = new Uint8Array(packedBlocksBytes(rows, cols, type));
  for (let block = 0, at = 0; at < bytes.length; block++, at += headBytes + BODY_BYTES) {
    bytes.set(heads.subarray(block * headBytes, (block + 1) * headBytes), at);
    bytes.set(bodies.subarray(block * BODY_BYTES, (block + 1) * BODY_BYTES), at + headBytes);
  }
  return { kind: "blocks", type, rows, cols, bytes } satisfies PackedBlocks;
}
