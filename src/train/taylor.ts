// Sum of |w * dL/dw| over the matrices of each decoder block (Molchanov et al. 2019; as a layer criterion Kim et al. 2024).

import type { TrainBatch } from "../core/batch.js";
import { healGradient } from "./healing.js";
import type { TrainModel } from "./model.js";
import type { TrainState } from "./state.js";

const BLOCK = /^language_model\.model\.layers\.(\d+)\..*proj\.weight$/;

/** One backward pass over the batch; the model's matrices must all be trained (`openModel` with rate 1). */
export function blockTaylor(state: TrainState, model: TrainModel, batch: TrainBatch): number[] {
  healGradient(state, model, batch, null);
  const sums = new Array<number>(model.config.decoder.layers).fill(0);
  for (const { name, offset, count } of state.table.parameters) {
    const layer = BLOCK.exec(name)?.[1];
    if (layer === undefined) continue;
    sums[Number(layer)] += state.kernels.absDot(state.values + offset * 4, state.gradients + offset * 4, count);
  }
  return sums;
}
