// Matrices that a checkpoint holds as f16 or bf16, to be kept so: "stored" weights of such a model take no more memory
// than its file.

import type { StoredMatrix } from "../core/stored.js";
import type { LazyTensor } from "../core/tensor.js";

/** What is multiplied or looked up row by row; norms, biases and tables that are added stay f32. */
const MATRICES = /(?:_proj|fc[12]|linear_[12]|embed_tokens|lm_head)\.weight$/;

/** The half-precision matrices among `tensors`. */
export function storedHalves(tensors: readonly LazyTensor[]): StoredMatrix[] {
  return tensors.flatMap((tensor) => {
    const { name, dtype, shape, byteLength, source } = tensor;
    if ((dtype !== "f16" && dtype !== "bf16") || shape.length !== 2 || !MATRICES.test(name)) return [];
    const [rows, cols] = shape as readonly [number, number];
    const matrix: StoredMatrix = {
      ...{
        name,
        rows,
        cols,
        format: dtype,
        label: dtype.toUpperCase(),
        byteLength,
        sources: [source],
        permuted: false,
      },
      order: async () => Float32Array.from({ length: cols }, (_, column) => column),
      raw: { source, offset: tensor.offset, byteLength, form: { kind: "blocks" } },
      async read(repacker) {
        const bytes = await source.read(tensor.offset, byteLength);
        return repacker.checked({ kind: "blocks", type: dtype, rows, cols, bytes }, name);
      },
    };
    return [matrix];
  });
}
