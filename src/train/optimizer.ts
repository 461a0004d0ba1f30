// Global-norm clipping and AdamW over all trained parameters.

import { InputError } from "../core/errors.js";
import type { RateOf, TrainState } from "./state.js";

const adamBeta1 = 0.9;
const adamBeta2 = 0.98;
const epsilon = 1e-8;
const weightDecay = 0.05;
const clipNorm = 1;

/** x^n for a whole n >= 0 by repeated squaring: the same bits in every engine. */
function power(x: number, n: number): number {
  let [result, base] = [1, x];
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= base;
    base *= base;
  }
  return result;
}

/** Euclidean norm of the gradient of all trained parameters. */
export function gradientNorm({ kernels, table, gradients }: TrainState, rateOf: RateOf): number {
  const squares = table.parameters.reduce((sum, { name, offset, count }) => {
    return rateOf(name) === 0 ? sum : sum + kernels.sumOfSquares(gradients + offset * 4, count);
  }, 0);
  return Math.sqrt(squares);
}

/**
 * One update from summed gradients.
 * @param totalWeight what the gradient is divided by
 * @param step number of this update since the moments were zero, from 1
 * @returns the norm of the divided gradient before clipping
 * @throws InputError when the gradient is not finite; the parameters stay as they were
 */
export function updateParameters(
  state: TrainState,
  rateOf: RateOf,
  totalWeight: number,
  rate: number,
  step: number,
): number {
  const norm = gradientNorm(state, rateOf) / totalWeight;
  if (!Number.isFinite(norm)) {
    const remedy = "Resume from the last checkpoint, or start anew with a lower rate.";
    throw new InputError("training", `update ${step}`, `the gradient's norm is ${norm}`, remedy);
  }
  const scale = (norm > clipNorm ? clipNorm / norm : 1) / totalWeight;
  const [correction1, correction2] = [1 - power(adamBeta1, step), 1 - power(adamBeta2, step)];
  for (const { name, offset, count, isDecayed } of state.table.parameters) {
    const own = rateOf(name);
    if (own === 0) continue;
    const [values, gradients, first, second] = [
      state.values,
      state.gradients,
      state.firstMoments,
      state.secondMoments,
    ].map((base) => base + offset * 4);
    const decay = isDecayed ? weightDecay : 0;
    const moments = [adamBeta1, adamBeta2, epsilon, decay, correction1, correction2];
    state.kernels.adamw(values, gradients, first, second, count, scale, rate * own, ...moments);
  }
  return norm;
}
