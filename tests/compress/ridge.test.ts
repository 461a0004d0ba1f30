// ReplaceMe's map without a given ridge: it follows a relation that holds on other samples, does nothing where there is none, and
// weighs tokens by what a norm behind them sees.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openComparer } from "../../src/backends/wasm/compare.js";
import { healRun } from "../../src/compress/replaceme.js";
import type { RunActivations } from "../../src/compress/replaceme-maps.js";
import { bestOf, walkedBest } from "../../src/compress/ridge.js";
import { openTrial } from "../../src/compress/trial.js";
import { nodePlatform } from "../../src/platform/node.js";
import { builds, noise, openBuild } from "./module.js";
import { tinyDecoder, tinyFloats, tinyForward, tinySamples } from "./tiny.js";

const hidden = 12;
const config = { ...tinyDecoder, hidden, ffn: hidden, biases: [] };
const identity = Float32Array.from({ length: hidden * hidden }, (_, i) => (i % (hidden + 1) === 0 ? 1 : 0));
const floats = async () => identity;
const run = { first: 1, last: 1, into: 0 };

/** Samples whose target is Y + M T + noise; T = 1.5 on the diagonal. `loud` tokens are a hundred times as large and follow nothing. */
function activations(samples: number, tokens: number, relation: number, level: number, loud = 0): RunActivations {
  const next = noise(3);
  const fill = (size: number) => Array.from({ length: samples }, () => Float32Array.from({ length: size }, next));
  const [branch, middle] = [fill(tokens * hidden), fill(tokens * hidden)];
  const target = branch.map((m, s) =>
    m.map((value, i) => {
      if (i >= loud * hidden) return middle[s][i] + relation * value + level * next();
      m[i] *= 100;
      return middle[s][i] + 100 * next();
    }),
  );
  return { branch, middle, target };
}

async function mapOf(build: (typeof builds)[number], given: RunActivations, ridge: number | null = null) {
  const module = await openBuild(build);
  const { result, values } = await healRun({ module, config, floats }, run, given, { form: "least-squares", ridge });
  await module.close();
  return { ...result, map: values.get("model.layers.0.mlp.down_proj.weight") as Float32Array };
}

const farFrom = (map: Float32Array, diagonal: number) =>
  Math.max(...map.map((value, i) => Math.abs(value - diagonal * identity[i])));

for (const build of builds) {
  test(`a relation that holds is followed (${build})`, async () => {
    const { map, ridge, before, after } = await mapOf(build, activations(8, 40, 1.5, 0.01));
    assert.ok(ridge <= 1e-3, `ridge ${ridge}`);
    assert.ok(farFrom(map, 1.5) < 0.02, `${farFrom(map, 1.5)}`);
    assert.ok(after < 0.01 * before);
  });

  test(`where none holds the map stays near the identity (${build})`, async () => {
    // 20 tokens for 12 channels: plain least squares follows the noise.
    const given = activations(4, 5, 1, 3);
    const free = await mapOf(build, given, 0);
    const { map, ridge } = await mapOf(build, given);
    assert.ok(ridge >= 1, `ridge ${ridge}`);
    assert.ok(farFrom(map, 1) < 0.3 * farFrom(free.map, 1), `${farFrom(map, 1)} beside ${farFrom(free.map, 1)}`);
  });
}

test("a wide model's candidates are walked to the same one, with fewer tries", () => {
  const candidates = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  for (const lowest of candidates) {
    let tries = 0;
    const errorOf = (candidate: number) => {
      tries++;
      return (candidate - lowest) ** 2;
    };
    assert.is(walkedBest(candidates, errorOf), lowest);
    assert.ok(tries <= 6, `${tries} tries for ${lowest}`);
    assert.is(bestOf(candidates, errorOf), lowest);
  }
  // Too weak a pull leaves no map at all.
  const weak = (candidate: number) => (candidate < 7 ? Number.POSITIVE_INFINITY : candidate);
  assert.is(bestOf(candidates, weak), 7);
  assert.is(
    walkedBest(candidates, () => Number.POSITIVE_INFINITY),
    null,
  );
});

test("loud tokens do not drown the others", async () => {
  const given = activations(8, 40, 1.5, 0.01, 2);
  const published = await mapOf("simd", given, 0);
  const weighed = await mapOf("simd", given);
  assert.ok(farFrom(weighed.map, 1.5) < 0.3 * farFrom(published.map, 1.5));
});

test("a healed set is judged on samples that its maps have not seen", async () => {
  const [module, forward, comparer] = [
    await openBuild("simd", 256),
    await tinyForward(),
    await openComparer(nodePlatform()),
  ];
  // 63 tokens for 64 channels: a map of all of them makes no error on any.
  const set = { samples: tinySamples(3), hash: "", source: "test" };
  const parts = { module, forward, comparer, set, config: tinyDecoder, floats: tinyFloats() };
  const trial = await openTrial({ ...parts, states: await forward.embed(set.samples), ridge: 1e-9 }, true);
  const { prompt } = await trial.losses([2], true);
  assert.ok((prompt?.kl as number) > 0.1, `${prompt?.kl}`);
  await module.close();
  await forward.close();
});

test.run();
