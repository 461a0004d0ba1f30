// Compares gradients with central finite differences along a direction, one parameter tensor at a time.

import type { TrainState } from "../../src/train/state.js";
import { makeUniform } from "./tiny.js";

export interface Mismatch {
  readonly name: string;
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic - numeric| over the larger of them and `floor`. */
  readonly error: number;
}

/**
 * Directional derivative of `loss` along `direction` scaled so that the largest element is 1, against gradient . direction.
 * `values` is the live parameter array; it is restored.
 */
function compare(
  name: string,
  view: () => Float32Array,
  gradient: Float32Array,
  direction: Float32Array,
  loss: () => number,
  epsilon: number,
  floor: number,
): Mismatch {
  const start = view().slice();
  const at = (scale: number): number => {
    view().set(start.map((value, i) => value + scale * direction[i]));
    return loss();
  };
  const slope = (step: number): number => (at(step) - at(-step)) / (2 * step);
  // Richardson's extrapolation cancels the error of order epsilon^2, so that epsilon can be large against f32 rounding.
  const numeric = (4 * slope(epsilon) - slope(2 * epsilon)) / 3;
  view().set(start);
  const analytic = gradient.reduce((sum, g, i) => sum + g * direction[i], 0);
  return {
    name,
    analytic,
    numeric,
    error: Math.abs(analytic - numeric) / Math.max(floor, Math.abs(analytic), Math.abs(numeric)),
  };
}

/**
 * For each parameter one comparison along its own gradient (finds wrong scale and spurious parts) and along random signs
 * (finds missing parts). `gradients` is a copy of state.gradients at the current values.
 */
export function checkParameters(
  state: TrainState,
  names: readonly string[],
  gradients: Float32Array,
  loss: () => number,
  epsilon: number,
  floor: number,
): Mismatch[] {
  const uniform = makeUniform(99);
  return names.flatMap((name) => {
    const { offset, count } = state.table.byName.get(name) ?? { offset: 0, count: 0 };
    const own = gradients.subarray(offset, offset + count);
    const view = (): Float32Array => state.arena.floats(state.values + offset * 4, count);
    const length = Math.sqrt(own.reduce((sum, g) => sum + g * g, 0));
    const along = own.map((g) => g / Math.max(length, 1e-12));
    const random = own.map(() => (uniform() < 0.5 ? -1 : 1) / Math.sqrt(count));
    return [
      compare(`${name} along its gradient`, view, own, along, loss, epsilon, floor),
      compare(`${name} along random signs`, view, own, random, loss, epsilon, floor),
    ];
  });
}
