// Every criterion removes a block first that does nothing, and says so by class of token; data that a criterion needs is asked for.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openComparer } from "../../src/backends/wasm/compare.js";
import { type CriterionName, type CriterionParts, criterionScores, presetOrder } from "../../src/compress/criteria.js";
import { replaceMe, runsOf } from "../../src/compress/replaceme.js";
import type { CalibrationSet } from "../../src/compress/samples.js";
import { divergence } from "../../src/compress/search.js";
import { activationShift, similarityScores } from "../../src/compress/similarity.js";
import { type Losses, openTrial } from "../../src/compress/trial.js";
import { loraDeltaScores } from "../../src/compress/weights.js";
import type { FloatsOf } from "../../src/core/layers.js";
import { nodePlatform } from "../../src/platform/node.js";
import { openModel } from "../../src/train/model.js";
import { blockTaylor } from "../../src/train/taylor.js";
import { refuses } from "../support/refuses.js";
import { tinyBatch, tinyState, tinyConfig as trainConfig } from "../train/tiny.js";
import { openBuild } from "./module.js";
import { tinyConfig, tinyDecoder, tinyFloats, tinyForward, tinySamples, tinySource } from "./tiny.js";

/** The tiny model whose block 2 passes on what it gets. */
const idle = 2;
const plain = tinyFloats();
const floats: FloatsOf = async (name) => {
  const values = await plain(name);
  return new RegExp(`layers\\.${idle}\\..*(o_proj|down_proj)`).test(name) ? new Float32Array(values.length) : values;
};
const set: CalibrationSet = { samples: tinySamples(12), hash: "", source: "test" };

async function open() {
  const module = await openBuild("simd", 256);
  const forward = await tinyForward(floats);
  const comparer = await openComparer(nodePlatform());
  const states = () => forward.embed(set.samples);
  const similarity = await similarityScores(module, forward, set, await states(), 1);
  const trialParts = { module, config: tinyDecoder, floats, forward, comparer, set, ridge: 0.01 };
  const trial = await openTrial({ ...trialParts, states: await states() }, true);
  const parts: CriterionParts = {
    ...{ module, source: tinySource(tinyConfig, floats), comparer, adapter: null, shift: null, searchBudget: 20 },
    similarity: async () => similarity,
    trial: async () => trial,
    taylor: "this test has none",
  };
  const close = async () => {
    await module.close();
    await forward.close();
  };
  return { parts, trial, module, forward, states, close };
}

const options = { count: 1, shape: "free", protect: [] } as const;

test("a block that does nothing goes first", async () => {
  const { parts, trial, close } = await open();
  const names = [
    "block-influence",
    "angular",
    "cosine-span",
    "perplexity",
    "magnitude",
    "sleb",
    "healed-swap",
  ] as const;
  for (const name of [...names, "task-loss"] as const) {
    const { removed, scores } = await criterionScores(name, parts, options);
    if (name !== "task-loss") assert.equal(removed, [idle], name);
    assert.ok(scores.all, name);
  }
  const { scores } = await criterionScores("block-influence", parts, options);
  for (const kind of ["prompt", "answer", "all"] as const) {
    assert.ok(Math.abs(scores[kind]?.[idle] as number) < 1e-6, `${kind} ${scores[kind]}`);
    assert.ok((scores[kind]?.[1] as number) > 1e-3);
  }
  assert.is(scores.image?.[0], null);
  const angular = (await criterionScores("angular", parts, options)).scores;
  assert.ok((angular.answer?.[idle] as number) < 1e-3 && (angular.answer?.[1] as number) > 1e-2);
  assert.not.equal(angular.answer, angular.prompt);
  assert.is(angular.image?.[0], null);
  const sleb = (await criterionScores("sleb", parts, { ...options, count: 2 })).scores;
  const left = (await trial.losses([idle], false)).answer?.nll;
  assert.is(sleb.answer?.[idle], left);
  assert.is(sleb.answer?.filter((value) => value !== null).length, 2);
  const without = await trial.losses([idle], false);
  for (const [kind, { kl, nll }] of Object.entries(without)) {
    assert.ok(Math.abs(kl) < 1e-6);
    assert.ok(Math.abs(nll - (trial.base[kind as "prompt"]?.nll as number)) < 1e-6);
  }
  await close();
});

test("what an earlier call tried is not run again, and counts as a run", async () => {
  const { forward, module, states, parts, trial, close } = await open();
  const told: Losses = { prompt: { tokens: 1, nll: 7, kl: 7 } };
  const kept = new Map([["1 false", told]]);
  const asked: number[] = [];
  const resumed = await openTrial(
    {
      ...{ module, config: tinyDecoder, floats, forward, comparer: parts.comparer, set, ridge: 0.01 },
      states: await states(),
      onRun: async (runs) => {
        asked.push(runs);
      },
      memo: {
        find: (key) => kept.get(key),
        add: async (key, losses) => {
          kept.set(key, losses);
        },
      },
    },
    true,
  );
  assert.equal(await resumed.losses([1], false), told);
  assert.equal(await resumed.losses([2, 1], true), await trial.losses([1, 2], true));
  assert.equal(kept.get("1,2 true"), await trial.losses([1, 2], true));
  await resumed.losses([1], false);
  assert.equal(asked, [0, 1]);
  assert.is(resumed.runs(), 2);
  await close();
});

test("criteria ask for what they need", async () => {
  const { parts, close } = await open();
  const without = { ...parts, similarity: null, trial: null };
  for (const name of ["block-influence", "perplexity", "sleb", "healed-swap"] as CriterionName[]) {
    await refuses(() => criterionScores(name, without, options), /calibration data/);
  }
  await refuses(() => criterionScores("lora-delta", parts, options), /adapter/);
  await refuses(() => criterionScores("activation-shift", parts, options), /general/);
  await refuses(() => criterionScores("taylor", parts, options), /this test has none/);
  await refuses(() => presetOrder("derm-llava", 8), /order of 32 blocks/);
  await close();
});

test("ReplaceMe maps an idle block to the identity and never raises the error it makes least", async () => {
  const { module, forward, states, close } = await open();
  const parts = { module, config: tinyDecoder, floats, forward };
  const idleHealed = await replaceMe({ ...parts, states: await states() }, [idle], { form: "least-squares", ridge: 0 });
  const name = "model.layers.1.mlp.down_proj.weight";
  const [before, after] = [await floats(name), idleHealed.changed.get(name) as Float32Array];
  before.forEach((value, i) => {
    assert.ok(Math.abs(after[i] - value) < 1e-3, `${after[i]} is not ${value}`);
  });
  for (const form of ["least-squares", "cosine"] as const) {
    const { runs } = await replaceMe({ ...parts, states: await states() }, [1], { form, ridge: 0, rate: 1e-3 });
    for (const run of runs) assert.ok(run.after < run.before, `${form} ${run.after} of ${run.before}`);
  }
  assert.equal(
    runsOf([6, 1, 3, 4]).map(({ first, last, into }) => [first, last, into]),
    [
      [1, 1, 0],
      [3, 4, 2],
      [6, 6, 5],
    ],
  );
  await refuses(() => runsOf([0, 1]), /block 0/);
  await refuses(
    () => replaceMe({ ...parts, states: [] }, [1], { form: "least-squares", ridge: 0 }),
    /singular at channel 0/,
  );
  await close();
});

test("domain and general data that are the same show no shift, of any class", async () => {
  const { module, forward, states, close } = await open();
  const own = async () => ({ states: await states(), samples: set.samples });
  const same = await activationShift(module, forward, await own(), await own());
  for (const kind of ["prompt", "answer", "all"] as const) assert.equal(same[kind], [0, 0, 0, 0], kind);
  const strangers = tinySamples(12, 77);
  const other = { states: await forward.embed(strangers), samples: strangers };
  const shift = await activationShift(module, forward, await own(), other);
  for (const kind of ["prompt", "answer", "all"] as const) {
    const scores = shift[kind] as readonly number[];
    assert.ok(scores[0] > 0 && scores[idle] === 0, `${kind} ${scores}`);
  }
  assert.not.equal(shift.prompt, shift.answer);
  assert.equal(shift.image, [null, null, null, null]);
  // Answers that are read as text on the other side have nothing to be compared with.
  const asText = strangers.map(({ classes }) => ({ classes: classes.map((kind) => (kind === 2 ? 3 : kind)) }));
  const apart = await activationShift(module, forward, await own(), {
    states: await forward.embed(strangers),
    samples: asText,
  });
  assert.equal(apart.answer, [null, null, null, null]);
  assert.equal(apart.text, [null, null, null, null]);
  assert.equal(apart.prompt, shift.prompt);
  await close();
});

test("healed-swap gives each block the divergence of the best set it tried with it, by class", async () => {
  const { parts, trial, close } = await open();
  const { scores, removed, order } = await criterionScores("healed-swap", parts, { ...options, count: 2 });
  const losses = await trial.losses(removed, true);
  for (const layer of removed) {
    assert.is(scores.answer?.[layer], losses.answer?.kl);
    assert.is(scores.prompt?.[layer], losses.prompt?.kl);
    assert.is(scores.all?.[layer], divergence(losses));
  }
  assert.equal(order.slice(0, 2), removed);
  const tried = (scores.all as readonly (number | null)[]).filter((score) => score !== null);
  assert.ok(tried.length > 2 && tried.every((score) => score >= divergence(losses)), `${tried}`);
  await close();
});

test("an adapter's norm is that of scale B A", async () => {
  const module = await openBuild();
  const matrix = (layer: number, a: number[], b: number[]) => ({
    ...{ layer, rank: 1, inputs: 2, outputs: 2, scale: 0.5 },
    a: async () => Float32Array.from(a),
    b: async () => Float32Array.from(b),
  });
  // |B A| = |B| |A| at rank 1.
  const adapter = [matrix(0, [3, 4], [0, 2]), matrix(2, [1, 0], [1, 0]), matrix(2, [0, 0], [1, 1])];
  assert.equal(await loraDeltaScores(module, "adapter", adapter, 3), [5, 0, 0.5]);
  await refuses(() => loraDeltaScores(module, "adapter", [], 3), /no adapted matrix/);
  await module.close();
});

test("Taylor is zero where a block's weights do not touch the loss", async () => {
  const state = await tinyState(3);
  for (const { name, offset, count } of state.table.parameters) {
    if (/layers\.1\..*(o_proj|down_proj)/.test(name)) state.arena.floats(state.values + offset * 4, count).fill(0);
  }
  const [first, second] = blockTaylor(
    state,
    openModel(state, trainConfig, () => 1),
    tinyBatch(2),
  );
  assert.ok(first > 0);
  assert.is(second, 0);
});

test.run();
