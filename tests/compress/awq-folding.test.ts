// AWQ folds its scales into norms and projections so that the unrounded block computes what it did, with grouped heads and biases
// too; plain rounding is among its candidates, so no module's error is above that of plain rounding.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { gatherInputs } from "../../src/compress/activations.js";
import { awqBlock } from "../../src/compress/awq.js";
import { LINEARS, openBlock, vectorsOf } from "../../src/compress/block.js";
import { parseScheme, type Scheme } from "../../src/compress/scheme.js";
import { openBuild } from "./module.js";
import { gathering, tinyDecoder, tinyFloats, tinyForward, tinySamples } from "./tiny.js";

for (const name of ["awq-int4-g32", "awq-int4-g32-sym"]) {
  test(`${name} changes nothing before rounding and is never worse than rounding`, async () => {
    const floats = tinyFloats();
    const module = await openBuild("simd", 256);
    const forward = await tinyForward(floats);
    const states = await forward.embed(tinySamples(12));
    await forward.load(0);
    const inputs = await gatherInputs(module, forward, tinyDecoder, states, gathering(12));
    const before = (await forward.run(states[3], ["out"])).out as Float32Array;
    const block = await openBlock(module, tinyDecoder, 0, floats);
    const report = awqBlock(module, tinyDecoder, block, inputs, parseScheme("", name) as Scheme);
    for (const { linears, error, plainError, ratio } of report.scales) {
      assert.ok(error <= plainError, `${linears}: ${error} > ${plainError}`);
      assert.ok(ratio === 0 ? error === plainError : error < plainError);
    }
    assert.ok(report.scales.some(({ ratio }) => ratio > 0));
    assert.ok(report.scales.find(({ linears }) => linears[0] === "o")?.ratio !== undefined);
    for (const { before: plain, after } of report.clips) assert.ok(after <= plain);
    await module.close();
    await forward.close();
    assert.is(before.length, states[3].length);
  });
}

test("the folded block without rounding and clipping gives the same output", async () => {
  const floats = tinyFloats();
  const module = await openBuild("simd", 256);
  const forward = await tinyForward(floats);
  const states = await forward.embed(tinySamples(12));
  await forward.load(0);
  const inputs = await gatherInputs(module, forward, tinyDecoder, states, gathering(12));
  const before = (await forward.run(states[3], ["out"])).out as Float32Array;
  const block = await openBlock(module, tinyDecoder, 0, floats);
  const clip = module.kernels.clamp;
  // Clipping is no part of the folding: it is left out by clamping to itself.
  const unclipped = { ...module, kernels: { ...module.kernels, clamp: () => {} } };
  assert.is(typeof clip, "function");
  const { scales } = awqBlock(unclipped, tinyDecoder, block, inputs, parseScheme("", "awq-int4-g32") as Scheme);
  assert.ok(scales.every(({ ratio }) => ratio >= 0) && scales.some(({ ratio }) => ratio > 0));
  const vectors = vectorsOf(module, block, tinyDecoder);
  const weights = new Map(
    LINEARS.map((letter) => {
      const { name, rows, cols } = block.linears[letter];
      return [name, module.arena.floats(block.weights[letter], rows * cols).slice()] as const;
    }),
  );
  await forward.load(0, async (name) => weights.get(name) ?? vectors.get(name) ?? floats(name));
  const after = (await forward.run(states[3], ["out"])).out as Float32Array;
  before.forEach((value, i) => {
    assert.ok(Math.abs(after[i] - value) < 1e-4 * (1 + Math.abs(value)), `${i}: ${after[i]} is not ${value}`);
  });
  await module.close();
  await forward.close();
});

test.run();
