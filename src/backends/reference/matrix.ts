// What the reference backend keeps of a tensor: plain f32 rows.

import type { TensorSpec } from "../../core/op.js";

export interface Matrix {
  readonly spec: TensorSpec;
  /** [spec.rows, spec.cols] */
  readonly values: Float32Array;
}

/** Row `row` of a matrix, as a view. */
export function rowOf(matrix: Matrix, row: number): Float32Array {
  const { rows, cols, name } = matrix.spec;
  if (row < 0 || row >= rows) throw new RangeError(`${name} has ${rows} rows, row ${row} was asked for`);
  return matrix.values.subarray(row * cols, (row + 1) * cols);
}
