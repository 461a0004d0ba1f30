// Variants of the kernels: the least time wins, each shape is tried once, and what was found can be handed in again.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { candidates, fastest } from "../../src/backends/webgpu/tune.js";
import { keptTuning, tuningName } from "../../src/backends/webgpu/tuning-cache.js";
import { type AdapterFacts, openWebgpu } from "../../src/backends/webgpu.js";
import type { KeptTexts } from "../../src/core/ports.js";
import { nodePlatform } from "../../src/platform/node.js";
import { referenceEntry } from "../conformance/backends.js";
import { differences } from "../conformance/compare.js";
import { SUITE } from "../conformance/suite.js";
import { needWebgpu } from "../support/webgpu.js";

test("the variant with the least time wins, whatever single rounds say", async () => {
  const choices = candidates(true, 256);
  assert.is(choices.length, 8);
  assert.is(candidates(false, 64).length, 2);
  let call = 0;
  // The second round of 128 with subgroups is the least of all.
  const timeNs = async (choice: (typeof choices)[number]) =>
    choice.size === 128 && choice.subgroups && call++ === 1 ? 5 : 10;
  assert.equal(await fastest(choices, 3, timeNs), { size: 128, subgroups: true });
});

/** Texts in memory. */
function textsOf(kept: Map<string, string>): KeptTexts {
  return {
    read: async (name) => kept.get(name) ?? null,
    write: async (name, text) => void kept.set(name, text),
  };
}

test("what is kept holds for one adapter, one driver and one text of the shaders", () => {
  const facts: AdapterFacts = {
    ...{ kind: "discrete", name: "nvidia, ada, driver 550.1", shaderF16: true, subgroups: true, dot4: true },
    ...{ timestamps: true, maxBindingBytes: 2 ** 31, maxBufferBytes: 2 ** 31 },
  };
  const names = [
    tuningName({ name: "node" }, facts, { add: "a" }, false),
    tuningName({ name: "node" }, { ...facts, name: "nvidia, ada, driver 551.0" }, { add: "a" }, false),
    tuningName({ name: "node" }, facts, { add: "b" }, false),
    tuningName({ name: "chromium" }, facts, { add: "a" }, false),
    tuningName({ name: "node" }, facts, { add: "a" }, true),
  ];
  assert.is(new Set(names).size, names.length);
  assert.is(names[0], tuningName({ name: "node" }, { ...facts }, { add: "a" }, false));
});

test("broken texts and variants that are none are as if nothing was kept", async () => {
  const good = { "a shape": { size: 128, subgroups: true } };
  const bad = { other: { size: 7, subgroups: true }, third: null };
  const read = (text: string) => keptTuning({ texts: textsOf(new Map([["x", text]])) }, "x");
  assert.equal(await read(JSON.stringify({ ...good, ...bad })), good);
  for (const text of ["{", "null", "3", "[]", ""]) assert.equal(await read(text), {});
  assert.equal(await keptTuning({}, "x"), {});
});

if (needWebgpu()) {
  test("variants are kept by the platform and found again without a trial", async () => {
    const cases = SUITE.filter(({ name }) => /^matmul int4-g32 \[24, 128\] x 1, f32/.test(name));
    const kept = new Map<string, string>();
    const platform = { ...nodePlatform(), texts: textsOf(kept) };
    const first = await openWebgpu(platform, { tuneAlways: true });
    assert.equal(await differences(first, await referenceEntry.open(), cases), []);
    const [text = "{}"] = kept.values();
    assert.is(kept.size, 1);
    assert.equal(JSON.parse(text), first.tuning);
    const [key = ""] = Object.keys(first.tuning);
    kept.set([...kept.keys()][0] as string, JSON.stringify({ [key]: { size: 32, subgroups: false } }));
    const second = await openWebgpu(platform, { tuneAlways: true });
    assert.equal(second.tuning, { [key]: { size: 32, subgroups: false } });
    assert.equal(await differences(second, await referenceEntry.open(), cases), []);
    assert.equal(second.tuning, { [key]: { size: 32, subgroups: false } });
  });

  test("a shape is tried once, its results stay right, and the outcome can be handed in again", async () => {
    const cases = SUITE.filter(({ name }) => /^matmul int4-g32 \[24, 128\] x [12], int8/.test(name));
    assert.ok(cases.length === 2);
    const platform = { ...nodePlatform(), texts: textsOf(new Map()) };
    const first = await openWebgpu(platform, { tuneAlways: true });
    assert.equal(await differences(first, await referenceEntry.open(), cases), []);
    const [key, ...others] = Object.keys(first.tuning);
    assert.match(key ?? "", /int4-g32 none8 \[24, 128\] int8/);
    assert.equal(others, []);
    const tuning = { [key ?? ""]: { size: 32, subgroups: false } };
    const second = await openWebgpu(platform, { tuneAlways: true, tuning });
    assert.equal(await differences(second, await referenceEntry.open(), cases), []);
    assert.equal(second.tuning, tuning);
  });
}

test.run();
