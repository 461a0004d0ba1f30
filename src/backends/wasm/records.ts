// 4-bit matrices of files to "r8" records with the kernels of assembly/kernels/records.ts, the whole matrix at once.

import { type CodeMatrix, type PackedInt4, packedInt4Bytes } from "../../core/packed.js";
import { openArena } from "./arena.js";
import { type Loaded, OFFSET } from "./kernels.js";

/** As assembly/kernels/records.ts numbers them. */
export const CODE_ORDER = { rows: 0, steps: 1, awq: 2 } as const;

export function records({ kernels, memory }: Loaded, matrix: CodeMatrix): PackedInt4 {
  const { rows, cols, group, offset, words, scales, offsets, rowStride, groupStride, share } = matrix;
  const arena = openArena(memory, kernels.heapBase() >>> 0, "repacker");
  const size = packedInt4Bytes(rows, cols, group, offset);
  const sizes = [words.byteLength, scales.byteLength, offsets?.byteLength ?? 0, size];
  const [from, scalesAt, offsetsAt, to] = sizes.map((bytes) => arena.take(bytes)) as [number, number, number, number];
  arena.grow();
  const { buffer } = memory;
  new Uint32Array(buffer, from, words.length).set(words);
  new Uint16Array(buffer, scalesAt, scales.length).set(scales);
  if (offsets instanceof Uint8Array) new Uint8Array(buffer, offsetsAt, offsets.length).set(offsets);
  else if (offsets) new Uint16Array(buffer, offsetsAt, offsets.length).set(offsets);
  // Rows that only pad the last block keep code and scale 0.
  const last = packedInt4Bytes(8, cols, group, offset);
  new Uint8Array(buffer, to + size - last, last).fill(0);
  const kind = OFFSET[offset];
  kernels.spreadCodes(CODE_ORDER[matrix.order], from, rows, cols, 0, cols / 8, group, kind, to);
  kernels.spreadScales(
    scalesAt,
    offsetsAt,
    rows,
    cols,
    0,
    cols / group,
    group,
    kind,
    rowStride,
    groupStride,
    share,
    to,
  );
  const codes = new Uint8Array(buffer, to, size).slice();
  const packed = { kind: "int4", layoutId: "r8", rows, cols, group, rowTile: 8, scaleType: "f16", offset } as const;
  return { ...packed, codes, scales: "inline", ...(offset === "none8" ? {} : { offsets: "inline" }) };
}
