// Packed int4 records as ggml's Q4_0 and Q4_1 blocks, code for code, where those hold the same values: Q4_0 is
// scale * (code - 8), Q4_1 scale * code + minimum with a minimum in f16.

import { type PackedInt4, recordBytes } from "../core/packed.js";
import { fromHalfBits, halfBits } from "./half.js";

/** The blocks [rows, cols / 32], or null where this type would not hold the values exactly. */
export function blocksOfInt4(packed: PackedInt4, type: "Q4_0" | "Q4_1"): Uint8Array | null {
  const { rows, cols, group, offset, codes } = packed;
  if (group < 32 || cols % group !== 0) return null;
  if ((type === "Q4_0" && offset === "bias") || (type === "Q4_1" && offset === "none8")) return null;
  const [size, groups] = [recordBytes(group, offset), cols / group];
  const [head, blockBytes] = type === "Q4_0" ? [2, 18] : [4, 20];
  const view = new DataView(codes.buffer, codes.byteOffset, codes.byteLength);
  const bytes = new Uint8Array(rows * (cols / 32) * blockBytes);
  const out = new DataView(bytes.buffer);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < cols; column += 32) {
      const record = ((row >> 3) * groups + Math.floor(column / group)) * size;
      const meta = record + group * 4;
      const scale = view.getUint16(meta + (row & 7) * 2, true);
      out.setUint16(to, scale, true);
      if (type === "Q4_0" && offset === "zeroU4" && codes[meta + 16 + (row & 7)] !== 8) return null;
      if (type === "Q4_1") {
        const least =
          offset === "bias"
            ? view.getUint16(meta + 16 + (row & 7) * 2, true)
            : halfOf(-codes[meta + 16 + (row & 7)] * fromHalfBits(scale));
        if (least === null) return null;
        out.setUint16(to + 2, least, true);
      }
      copyCodes(codes, record + ((column % group) >> 3) * 32 + (row & 7) * 4, bytes, to + head);
      to += blockBytes;
    }
  }
  return bytes;
}

const one = new Float32Array(1);

function halfOf(value: number): number | null {
  one[0] = value;
  return halfBits(new Uint8Array(one.buffer), "f32")?.[0] ?? null;
}

/** Four steps of a row (bytes of columns c and c + 4) to 16 bytes of columns j and j + 16. */
function copyCodes(codes: Uint8Array, from: number, bytes: Uint8Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const low = codes[from + (j >> 3) * 32 + (j & 3)] >> (j & 4);
    const high = codes[from + ((j >> 3) + 2) * 32 + (j & 3)] >> (j & 4);
    bytes[to + j] = (low & 15) | ((high & 15) << 4);
  }
}
