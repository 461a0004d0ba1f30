// Matrices in memory for tests of the quantized forms.

import { openRepacker } from "../../src/backends/wasm/repacker.js";
import type { DType, LazyTensor } from "../../src/core/tensor.js";
import { nodePlatform } from "../../src/platform/node.js";
import { memorySource } from "./memory-source.js";

export const repacker = await openRepacker(nodePlatform());

export function tensor(name: string, dtype: DType, shape: readonly number[], values: ArrayBufferView): LazyTensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
  return { name, dtype, shape, source: memorySource(bytes), offset: 0, byteLength: bytes.length };
}

export const words = (hex: string) => Uint32Array.from(hex.split(" "), (word) => Number.parseInt(word, 16));

export const AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7];

/** Eight codes a word, along the outputs. */
export function packOutputs(code: (n: number) => number, rows: number, order: readonly number[]): number[] {
  return Array.from({ length: rows / 8 }, (_, word) =>
    order.reduce((sum, column, i) => sum + code(word * 8 + column) * 16 ** i, 0),
  );
}
