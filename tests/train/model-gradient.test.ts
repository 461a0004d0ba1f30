// The gradient of the whole model, both stages, agrees with central finite differences for every parameter tensor.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { jointGradient } from "../../src/train/joint.js";
import { openModel } from "../../src/train/model.js";
import { visionGradient } from "../../src/train/pretraining.js";
import { jointStageRates, visionStageRates } from "../../src/train/rates.js";
import { checkParameters } from "./directional.js";
import { tinyBatch, tinyConfig, tinyState } from "./tiny.js";

// The loss is a sum of about 30 f32 terms near 3 (rounding about 1e-5 in all); with epsilon 0.02 that is 5e-4 in the slope.
// Slopes are compared relative to at least 0.1, hence 2 %.
const tolerance = 0.02;
const epsilon = 0.02;
const floor = 0.1;

for (const stage of ["joint", "vision"] as const) {
  test(`${stage}: gradients equal finite differences`, async () => {
    const state = await tinyState(7);
    const rates = stage === "joint" ? jointStageRates : visionStageRates;
    const model = openModel(state, tinyConfig, rates);
    const batch = tinyBatch(3);
    const run = stage === "joint" ? jointGradient : visionGradient;
    const loss = (): number => run(state, model, batch).loss;
    loss();
    const gradients = state.arena.floats(state.gradients, state.table.floats).slice();
    const names = state.table.parameters.map(({ name }) => name).filter((name) => rates(name) !== 0);
    const wrong = checkParameters(state, names, gradients, loss, epsilon, floor).filter(
      ({ error }) => !(error < tolerance),
    );
    assert.equal(wrong, []);
  });
}

test.run();
