// Rows of Q and K: Hugging Face turns the halves of a head, llama.cpp and llama2.c turn neighbours, so their rows stand in
// another order. A writer brings them into its target's order; codes and scales move with their row.

import type { DecoderConfig } from "../core/config.js";
import type { RopeStyle } from "../core/op.js";
import { type PackedInt4, recordBytes } from "../core/packed.js";

/** Row i of the result is row `order[i]` of the source; null where nothing moves. @param name canonical */
export function rowOrder(name: string, c: DecoderConfig, target: RopeStyle): Uint32Array | null {
  if (c.ropeStyle === target) return null;
  const letter = /^model\.layers\.\d+\.self_attn\.([qk])_proj\.(?:weight|bias)$/.exec(name)?.[1];
  if (letter === undefined) return null;
  const heads = letter === "q" ? c.heads : c.kvHeads;
  const pairs = c.headDim / 2;
  return Uint32Array.from({ length: heads * c.headDim }, (_, row) => {
    const within = row % c.headDim;
    // (head, half, i) and (head, i, half)
    const [half, i] = target === "half" ? [Math.floor(within / pairs), within % pairs] : [within % 2, within >> 1];
    return row - within + (target === "half" ? 2 * i + half : half * pairs + i);
  });
}

/** A vector, or a matrix [order.length, width], with its rows in another order. */
export function orderedRows(values: Float32Array, order: Uint32Array | null): Float32Array {
  if (order === null) return values;
  const width = values.length / order.length;
  const result = new Float32Array(values.length);
  order.forEach((from, row) => {
    result.set(values.subarray(from * width, (from + 1) * width), row * width);
  });
  return result;
}

/** The same for "r8" records (core/packed.ts): four bytes a row and step, then scales and offsets. rows is a multiple of 8. */
export function orderedRecords(packed: PackedInt4, order: Uint32Array | null): PackedInt4 {
  if (order === null) return packed;
  const { cols, group, offset, codes } = packed;
  const [size, groups] = [recordBytes(group, offset), cols / group];
  const result = new Uint8Array(codes.length);
  order.forEach((from, row) => {
    for (let g = 0; g < groups; g++) {
      const [to, at] = [row, from].map((r) => ((r >> 3) * groups + g) * size);
      const move = (place: (lane: number) => number, bytes: number) => {
        const source = at + place(from & 7);
        result.set(codes.subarray(source, source + bytes), to + place(row & 7));
      };
      for (let step = 0; step < group * 4; step += 32) move((lane) => step + lane * 4, 4);
      move((lane) => group * 4 + lane * 2, 2);
      if (offset === "bias") move((lane) => group * 4 + 16 + lane * 2, 2);
      if (offset === "zeroU4") move((lane) => group * 4 + 16 + lane, 1);
    }
  });
  return { ...packed, codes: result };
}
