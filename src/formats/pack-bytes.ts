// 8-bit codes of GPTQ and compressed-tensors checkpoints with a scale and a zero point a group, as "zero8" blocks
// (core/packed.ts): f32 scales hold f16 and bf16 ones exactly.

import { InputError } from "../core/errors.js";
import type { StoredMatrix } from "../core/stored.js";
import type { LazyTensor } from "../core/tensor.js";
import { joinHeads, wideHeads } from "./pack-blocks.js";
import { filesOf, inOrder, readFloats } from "./quant-scheme.js";

/** A matrix of bytes: w[row, c] = scale * (code - zero), scale and zero at row * rowStride + floor(c / group) * groupStride. */
export interface ByteMatrix {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  /** Columns that share a scale. */
  readonly group: number;
  readonly label: string;
  readonly tensors: readonly LazyTensor[];
  readonly scales: LazyTensor;
  readonly rowStride: number;
  readonly groupStride: number;
  /** [rows, cols], in the order of `order` where there is one. */
  readonly codes: () => Promise<Uint8Array>;
  /** At the places of the scales; null: 128. */
  readonly zeros: (() => Promise<ArrayLike<number>>) | null;
  /** Column c multiplies input order[c]. */
  readonly order?: () => Promise<Float32Array>;
}

/** Throws InputError for groups that are no whole blocks of 32. */
export function storedBytes(matrix: ByteMatrix): StoredMatrix {
  const { name, rows, cols, group, label, tensors, scales, rowStride, groupStride, codes, zeros, order } = matrix;
  if (!(group % 32 === 0 && cols % group === 0)) {
    const problem = `8-bit groups of ${group} in rows of ${cols} columns`;
    const remedy = "Supported are multiples of 32 that divide the row";
    throw new InputError(tensors[0].source.name, name, problem, remedy);
  }
  return {
    ...{ name, rows, cols, format: "zero8", label, ...filesOf(tensors) },
    permuted: order !== undefined,
    order: order ?? inOrder(cols),
    async read() {
      const steps = await readFloats(scales);
      const points = zeros && (await zeros());
      const groups = cols / group;
      const at = (i: number) => Math.floor(i / groups) * rowStride + (i % groups) * groupStride;
      const scaleList = Float32Array.from({ length: rows * groups }, (_, i) => steps[at(i)]);
      const zeroList = scaleList.map((_, i) => (points ? points[at(i)] : 128));
      return joinHeads("zero8", rows, cols, wideHeads(scaleList, zeroList, group), await codes());
    },
  };
}

/** Bytes of words [cols / 4, rows] (lowest byte first along the inputs) as [rows, cols]. @param order column c is input order[c] */
export function bytesOfSteps(bytes: Uint8Array, rows: number, cols: number, order: Uint32Array | null): Uint8Array {
  const turned = new Uint8Array(rows * cols);
  for (let column = 0; column < cols; column++) {
    const input = order ? order[column] : column;
    const from = (input >> 2) * rows * 4 + (input & 3);
    for (let row = 0; row < rows; row++) turned[row * cols + column] = bytes[from + row * 4];
  }
  return turned;
}
