// Relative L2 error of a bed's product against float64, on some rows of its weights.

import { unpackInt4 } from "../src/backends/reference/unpack.js";
import { packedInt4Bytes } from "../src/core/packed.js";
import type { Bed, BedShape } from "./bed.js";

const ROWS = 16;

/** Error of the first token's first rows, after a product of the matrix at `weight`. */
export function errorOf(bed: Bed, { rows, cols, group }: BedShape, weight: number): number {
  const bytes = packedInt4Bytes(ROWS, cols, group, "none8");
  const codes = new Uint8Array(bed.memory.buffer, weight, bytes).slice();
  const values = unpackInt4({
    ...{ kind: "int4", layoutId: "r8", rows: ROWS, cols, group, rowTile: 8, scaleType: "f16", offset: "none8" },
    ...{ codes, scales: "inline" },
  });
  const x = new Float32Array(bed.memory.buffer, bed.x, cols);
  const out = new Float32Array(bed.memory.buffer, bed.out, rows);
  let [difference, size] = [0, 0];
  for (let r = 0; r < ROWS; r++) {
    let sum = 0;
    for (let c = 0; c < cols; c++) sum += values[r * cols + c] * x[c];
    difference += (out[r] - sum) ** 2;
    size += sum ** 2;
  }
  return Math.sqrt(difference / size);
}
