// A random model of the shipped architecture gives the same logits on every backend, in every format it can be loaded in,
// for a prompt with a picture and for single tokens after it.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ActivationFormat } from "../../src/core/op.js";
import type { QuantName } from "../../src/core/scenario.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { openSession } from "../../src/model/session.js";
import { type BackendEntry, referenceEntry, wasmEntries } from "../conformance/backends.js";
import { relativeError } from "../conformance/case.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { randomLlava, randomWeights } from "./random-llava.js";

/** Eleven layers of f32 sums in another order. */
const FLOAT = 2e-5;

/** Formats of the weights; each is tried with f32 activations, the rounded ones with int8 activations too. */
const QUANTS: readonly QuantName[] = ["f32", "int8", "int4-g32", "int4-g128"];
const random = uniform(9);
const PIXELS = Float32Array.from({ length: 3 * 64 * 64 }, () => random() * 2 - 1);
const PROMPT = [1, ...new Array<number>(16).fill(4), 203, 77, 500, 12, 999, 203];

async function logitsOf({ open }: BackendEntry, quant: QuantName, activations: ActivationFormat) {
  const parts = { backend: await open(), quantizer: plainQuantizer, readFloat32: randomWeights };
  const loaded = await loadModel(randomLlava, parts, { plan: planOf(quant), activations, context: 64 });
  const session = openSession(loaded);
  await session.see(PIXELS);
  const rows = [await session.logits(PROMPT), await session.logits([321]), await session.logits([654])];
  await loaded.backend.close();
  return rows;
}

const entries = await wasmEntries();
for (const quant of QUANTS) {
  test(`${quant}, f32 activations`, async () => {
    const expected = await logitsOf(referenceEntry, quant, "f32");
    assert.ok(expected.every((row) => row.every(Number.isFinite)));
    for (const entry of entries) {
      for (const [i, row] of (await logitsOf(entry, quant, "f32")).entries()) {
        const error = relativeError(row, expected[i]);
        assert.ok(error < FLOAT, `${entry.name}, row ${i}: ${error}`);
      }
    }
  });
}

// Differences of f32 sums move some activation across the middle of two codes, which then is a whole step. Over eleven
// random layers that grows to the size of the rounding noise, so this is the bound; the conformance suite is the sharp one.
test("int4-g32, int8 activations: no farther apart than rounding moves the logits", async () => {
  const exact = await logitsOf(referenceEntry, "int4-g32", "f32");
  const expected = await logitsOf(referenceEntry, "int4-g32", "int8");
  for (const entry of entries) {
    for (const [i, row] of (await logitsOf(entry, "int4-g32", "int8")).entries()) {
      const error = relativeError(row, expected[i]);
      const noise = relativeError(expected[i], exact[i]);
      assert.ok(error < noise, `${entry.name}, row ${i}: ${error} of ${noise}`);
    }
  }
});

test.run();
