// Criteria that look at weights: magnitude, and how much an adapter (LoRA) moved each block.

import { InputError } from "../core/errors.js";
import type { SourceTensor } from "../core/write.js";
import type { CompressModule } from "./kernels.js";

const BLOCK = /^model\.layers\.(\d+)\..*proj\.weight$/;

/** Sum of |w| of each block's matrices (Kim et al. 2024); low: remove first. */
export async function magnitudeScores(
  { arena, kernels }: CompressModule,
  tensors: readonly SourceTensor[],
  layers: number,
): Promise<number[]> {
  const sums = new Array<number>(layers).fill(0);
  for (const { name, floats } of tensors) {
    const layer = BLOCK.exec(name)?.[1];
    if (layer === undefined) continue;
    const mark = arena.mark();
    const values = await floats();
    sums[Number(layer)] += kernels.sumMagnitude(arena.place(values), values.length);
    arena.release(mark);
  }
  return sums;
}

/** One adapted matrix: update = scale * B A, A [rank, inputs], B [outputs, rank]. */
export interface AdapterMatrix {
  readonly layer: number;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly scale: number;
  readonly a: () => Promise<Float32Array>;
  readonly b: () => Promise<Float32Array>;
}

/**
 * Largest Frobenius norm of an adapter's update over the matrices of each block; low: the fine-tuning hardly needed the block. (What the
 * names of the paper's artefacts suggest; named for what it is.) Throws InputError for an adapter without any block.
 */
export async function loraDeltaScores(
  { arena, kernels }: CompressModule,
  source: string,
  adapter: readonly AdapterMatrix[],
  layers: number,
): Promise<number[]> {
  const norms = new Array<number>(layers).fill(0);
  if (adapter.length === 0) {
    throw new InputError(source, "", "holds no adapted matrix of a decoder block", "Name a folder that PEFT wrote");
  }
  for (const { layer, rank, inputs, outputs, scale, a, b } of adapter) {
    const mark = arena.mark();
    const [left, right] = [arena.place(await b()), arena.place(await a())];
    const out = arena.alloc(outputs * inputs * 4);
    kernels.transform(left, outputs, rank, right, inputs, out);
    const norm = Math.abs(scale) * Math.sqrt(kernels.sumSquares(out, outputs * inputs));
    if (layer < layers) norms[layer] = Math.max(norms[layer], norm);
    arena.release(mark);
  }
  return norms;
}
