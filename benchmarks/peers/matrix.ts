// The one int4 matrix of a case, w = scale * (code - 8): random codes, scales that f16 and f32 hold alike, so that every
// contender multiplies by exactly the same numbers; activations N(0, 1); float64 products of some rows.

import type { MatmulWork } from "./case.js";
import { bits, normals } from "./random.js";

export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly group: number;
  /** [rows, cols / 2], even column in the low nibble: the order of MatMulNBits. */
  readonly codes: Uint8Array;
  /** [rows, cols / group], 2^-7 to 2^-6 in steps of 2^-17. */
  readonly scales: Float32Array;
}

export function seededMatrix({ rows, cols, group }: MatmulWork): Matrix {
  const next = bits(rows * 131 + group);
  const words = Uint32Array.from({ length: (rows * cols) / 8 }, next);
  const scales = Float32Array.from({ length: (rows * cols) / group }, () => (1024 + (next() % 1024)) / 131072);
  return { rows, cols, group, codes: new Uint8Array(words.buffer), scales };
}

/** [tokens, cols] */
export const seededInput = ({ cols, tokens }: MatmulWork): Float32Array => normals(tokens * 7 + 3, tokens * cols);

const CHECKED_ROWS = 48;

/** Relative L2 error of y [tokens, rows] against float64 over some rows of the first and the last token. */
export function errorOf({ rows, cols, group, codes, scales }: Matrix, x: Float32Array, y: ArrayLike<number>): number {
  const tokens = x.length / cols;
  let [difference, size] = [0, 0];
  for (const token of new Set([0, tokens - 1])) {
    for (let i = 0; i < CHECKED_ROWS; i++) {
      const row = Math.floor((i * rows) / CHECKED_ROWS);
      let sum = 0;
      for (let c = 0; c < cols; c++) {
        const code = (codes[(row * cols + c) >> 1] >> ((c & 1) * 4)) & 15;
        sum += x[token * cols + c] * (code - 8) * scales[(row * cols + c - (c % group)) / group];
      }
      difference += (y[token * rows + row] - sum) ** 2;
      size += sum ** 2;
    }
  }
  return Math.sqrt(difference / size);
}

/** 4.5 bits a weight at group 32, 4.125 at 128. */
export const storedBytes = ({ rows, cols, group }: MatmulWork): number => (rows * cols * (4 + 16 / group)) / 8;
