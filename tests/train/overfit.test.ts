// The loss falls: AdamW on one repeated batch learns it almost by heart, in both stages.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { jointGradient } from "../../src/train/joint.js";
import { openModel } from "../../src/train/model.js";
import { updateParameters } from "../../src/train/optimizer.js";
import { visionGradient } from "../../src/train/pretraining.js";
import { jointStageRates, visionStageRates } from "../../src/train/rates.js";
import { tinyBatch, tinyConfig, tinyState } from "./tiny.js";

for (const stage of ["joint", "vision"] as const) {
  test(`${stage}: 150 updates on one batch`, async () => {
    const state = await tinyState(5);
    const rates = stage === "joint" ? jointStageRates : visionStageRates;
    const model = openModel(state, tinyConfig, rates);
    const run = stage === "joint" ? jointGradient : visionGradient;
    const losses = Array.from({ length: 150 }, (_, i) => {
      const { loss, weight } = run(state, model, tinyBatch(11));
      updateParameters(state, rates, weight, 0.01, i + 1);
      return loss / weight;
    });
    assert.ok(losses[0] > 1.5, `starts at ${losses[0]}`);
    assert.ok(losses[149] < 0.25, `ends at ${losses[149]}`);
  });
}

test.run();
