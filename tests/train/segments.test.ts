// Two questions packed behind one picture give the same losses and gradients as two sequences of their own.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TrainSequence } from "../../src/core/batch.js";
import { jointGradient } from "../../src/train/joint.js";
import { openModel } from "../../src/train/model.js";
import { jointStageRates } from "../../src/train/rates.js";
import { tinyBatch, tinyConfig, tinyState } from "./tiny.js";

/** The shared prefix and one segment. */
function only(sequence: TrainSequence, segment: number): TrainSequence {
  const keep = <T extends Int32Array | Float32Array>(values: T): T =>
    values.filter((_, i) => sequence.segments[i] === 0 || sequence.segments[i] === segment) as T;
  const { image, tokens, positions, segments, targets, weights } = sequence;
  return {
    image,
    tokens: keep(tokens),
    positions: keep(positions),
    segments: keep(segments),
    targets: keep(targets),
    weights: keep(weights),
  };
}

test("packed equals separate", async () => {
  const state = await tinyState(2);
  const model = openModel(state, tinyConfig, jointStageRates);
  const batch = tinyBatch(4);
  const packed = batch.sequences[0];
  const run = (sequences: readonly TrainSequence[]) => {
    const { loss, weight } = jointGradient(state, model, { ...batch, sequences });
    return { loss, weight, gradients: state.arena.floats(state.gradients, state.table.floats).slice() };
  };
  const joined = run([packed]);
  const apart = run([only(packed, 1), only(packed, 2), only(packed, 3)]);
  // Sums in another order: f32 rounding, about 1e-6 of the largest gradient.
  assert.ok(Math.abs(joined.loss - apart.loss) < 1e-5 * joined.loss);
  assert.is(joined.weight, apart.weight);
  const largest = joined.gradients.reduce((top, g) => Math.max(top, Math.abs(g)), 0);
  const worst = joined.gradients.reduce((top, g, i) => Math.max(top, Math.abs(g - apart.gradients[i])), 0);
  assert.ok(worst < 1e-5 * largest, `largest difference ${worst} against ${largest}`);
});

test.run();
