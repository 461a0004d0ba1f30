// AdamW's first update by hand, its decay, the frozen parameters, and clipping to norm 1.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { gradientNorm, updateParameters } from "../../src/train/optimizer.js";
import { findParameter, type TrainState } from "../../src/train/state.js";
import { tinyState } from "./tiny.js";

const matrix = "multi_modal_projector.linear_1.weight";
const bias = "multi_modal_projector.linear_1.bias";
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

/** First value of a parameter, and of its gradient. */
function cells(state: TrainState, name: string): { value: Float32Array; gradient: Float32Array } {
  const at = findParameter(state.table, name).offset * 4;
  return { value: state.arena.floats(state.values + at, 1), gradient: state.arena.floats(state.gradients + at, 1) };
}

test("the first update moves by the rate against the gradient; matrices decay by rate * 0.05, biases do not", async () => {
  const state = await tinyState(1);
  for (const name of [matrix, bias]) {
    const { value, gradient } = cells(state, name);
    value[0] = 2;
    gradient[0] = 0.5;
  }
  updateParameters(state, (name) => (name === matrix || name === bias ? 1 : 0), 1, 0.1, 1);
  near(cells(state, matrix).value[0], 2 * (1 - 0.1 * 0.05) - 0.1);
  near(cells(state, bias).value[0], 2 - 0.1);
});

test("a rate of 0 freezes, a rate of 0.3 scales", async () => {
  const state = await tinyState(1);
  for (const name of [matrix, bias]) {
    const { value, gradient } = cells(state, name);
    value[0] = 2;
    gradient[0] = -0.5;
  }
  updateParameters(state, (name) => (name === bias ? 0.3 : 0), 1, 0.1, 1);
  near(cells(state, bias).value[0], 2.03);
  near(cells(state, matrix).value[0], 2);
});

test("the norm counts trained parameters, is divided by the weight, and is refused when it is not finite", async () => {
  const state = await tinyState(1);
  cells(state, matrix).gradient[0] = 30;
  cells(state, bias).gradient[0] = 40;
  near(
    gradientNorm(state, () => 1),
    50,
  );
  near(
    gradientNorm(state, (name) => (name === bias ? 1 : 0)),
    40,
  );
  near(
    updateParameters(state, () => 1, 10, 0, 1),
    5,
  );
  cells(state, bias).gradient[0] = Number.NaN;
  assert.throws(() => updateParameters(state, () => 1, 10, 0, 2), /gradient's norm is NaN/);
});

test("clipping: the first moment of a long gradient is 0.1 of its unit vector", async () => {
  const state = await tinyState(1);
  cells(state, matrix).gradient[0] = 30;
  cells(state, bias).gradient[0] = 40;
  updateParameters(state, () => 1, 1, 0, 1);
  const at = findParameter(state.table, bias).offset * 4;
  near(state.arena.floats(state.firstMoments + at, 1)[0], 0.1 * 0.8);
});

test.run();
