// Gradients of healing: along random directions the loss with hidden-state and logit distillation changes as the gradient says; adapters
// get the gradients of their matrix, and merging them at B = 0 changes nothing.

import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  healGradient,
  healRates,
  healUpdate,
  mergeAdapters,
  openAdapters,
  type Teacher,
} from "../../src/train/healing.js";
import { openModel } from "../../src/train/model.js";
import { parameterTable } from "../../src/train/parameters.js";
import { openState, startValues, type TrainState } from "../../src/train/state.js";
import { makeUniform, openModule, tinyBatch, tinyConfig } from "../train/tiny.js";

const teacherConfig = { ...tinyConfig, decoder: { ...tinyConfig.decoder, layers: 3 } };

async function setUp(rank: number, hiddenWeight: number, logitWeight: number) {
  const module = await openModule();
  const state = openState(module, parameterTable(tinyConfig, rank));
  startValues(state, 1);
  const taught = openState(module, parameterTable(teacherConfig));
  startValues(taught, 7);
  const teacher: Teacher = {
    ...{ state: taught, model: openModel(taught, teacherConfig, () => 0), kept: [0, 2] },
    ...{ hiddenWeight, logitWeight },
  };
  return { state, teacher };
}

const values = (state: TrainState) => state.arena.floats(state.values, state.table.floats);

test("the gradient of distillation is that of its loss", async () => {
  const { state, teacher } = await setUp(0, 0.7, 1.3);
  const model = openModel(state, tinyConfig, (name) => (name.startsWith("pretraining.") ? 0 : 1));
  const batch = tinyBatch(3);
  const loss = () => healGradient(state, model, batch, teacher).loss;
  loss();
  const gradient = state.arena.floats(state.gradients, state.table.floats).slice();
  const start = values(state).slice();
  for (let trial = 0; trial < 4; trial++) {
    const uniform = makeUniform(50 + trial);
    const direction = Float32Array.from(start, (_, i) => (gradient[i] === 0 ? 0 : uniform() - 0.5));
    const step = 2e-3;
    const at = (sign: number) => {
      values(state).set(start.map((value, i) => value + sign * step * direction[i]));
      return loss();
    };
    const slope = (at(1) - at(-1)) / (2 * step);
    const expected = gradient.reduce((sum, g, i) => sum + g * direction[i], 0);
    assert.ok(Math.abs(slope - expected) < 0.02 * Math.abs(expected) + 2e-3, `${slope} is not ${expected}`);
  }
});

test("adapters follow their matrix's gradient and leave it alone while B is 0", async () => {
  const { state } = await setUp(4, 0, 0);
  const before = values(state).slice();
  const adapters = openAdapters(state, 8);
  assert.is(adapters.scale, 2);
  mergeAdapters(state, adapters);
  assert.equal(values(state), before);
  const model = openModel(state, tinyConfig, healRates("lora").gradient);
  const batch = tinyBatch(4);
  const first = healGradient(state, model, batch, null);
  const { weight, a, b } = adapters.matrices[0];
  const dw = state.arena.floats(state.gradients + weight.offset * 4, weight.count).slice();
  healUpdate(state, "lora", adapters, first.weight, 1e-2, 1);
  const db = state.arena.floats(state.gradients + b.offset * 4, b.count).slice();
  const [rank, inputs] = a.shape;
  const va = before.subarray(a.offset, a.offset + a.count);
  // dB = s dW A^T, element by element.
  for (const [row, column] of [
    [0, 0],
    [3, 1],
    [7, 3],
  ]) {
    let expected = 0;
    for (let i = 0; i < inputs; i++) expected += 2 * dw[row * inputs + i] * va[column * inputs + i];
    const found = db[row * rank + column];
    assert.ok(Math.abs(found - expected) < 1e-4 * (1 + Math.abs(expected)), `${found} is not ${expected}`);
  }
  const losses = Array.from({ length: 30 }, (_, i) => {
    const sums = healGradient(state, model, batch, null);
    healUpdate(state, "lora", adapters, sums.weight, 1e-2, i + 2);
    return sums.loss / sums.weight;
  });
  assert.ok(losses[29] < 0.8 * losses[0], `${losses[29]} after ${losses[0]}`);
  const untouched = state.table.parameters.filter(({ name }) => name.endsWith("norm.weight"));
  for (const { name, offset, count } of untouched) {
    assert.equal(values(state).slice(offset, offset + count), before.slice(offset, offset + count), name);
  }
});

test("projector mode changes the projector alone", async () => {
  const { state } = await setUp(0, 0, 0);
  const model = openModel(state, tinyConfig, healRates("projector").gradient);
  const before = values(state).slice();
  const sums = healGradient(state, model, tinyBatch(5), null);
  healUpdate(state, "projector", null, sums.weight, 1e-2, 1);
  for (const { name, offset, count } of state.table.parameters) {
    const isSame = values(state)
      .slice(offset, offset + count)
      .every((value, i) => value === before[offset + i]);
    assert.is(isSame, !name.startsWith("multi_modal_projector."), name);
  }
});

test.run();
