// Keys and values in int8: their size, what they cost a model's logits, that backends agree about them, and that a position
// means the same alone and in a batch.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openReference } from "../../src/backends/reference.js";
import { openWasm } from "../../src/backends/wasm.js";
import { type KvFormat, tensorBytes } from "../../src/core/op.js";
import type { Backend } from "../../src/core/ports.js";
import { buildGraph } from "../../src/model/graph.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { llava15Decoder } from "../../src/model/shapes.js";
import { nodePlatform } from "../../src/platform/node.js";
import { relativeError } from "../conformance/case.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { runningVariants } from "../wasm/variants.js";
import { randomLlava, randomWeights } from "./random-llava.js";

const PROMPT = [1, 203, 77, 500, 12, 999, 203, 18, 4, 5, 6, 7];

async function logitsOf(backend: Backend, kv: KvFormat, cuts: readonly number[]): Promise<Float32Array> {
  const parts = { backend, quantizer: plainQuantizer, readFloat32: randomWeights };
  const prompt = PROMPT.filter((token) => token !== 4);
  const loaded = await loadModel(randomLlava, parts, {
    plan: planOf("f32", undefined, kv),
    activations: "f32",
    context: 32,
  });
  const session = openSession(loaded);
  let from = 0;
  for (const to of cuts) {
    await session.logits(prompt.slice(from, to));
    from = to;
  }
  const logits = await session.logits(prompt.slice(from));
  await backend.close();
  return logits;
}

const reference = () => openReference(nodePlatform());

test("a position of LLaVA-1.5-7B takes 8,320 bytes a layer", () => {
  const config = { architecture: "llama", decoder: llava15Decoder(1) } as const;
  const graph = buildGraph(config, { plan: planOf("int4-g128", undefined, "int8"), activations: "int8", context: 16 });
  const caches = graph.tensors.filter((spec) => spec.class === "kv");
  assert.is(
    caches.reduce((sum, spec) => sum + tensorBytes(spec, 1), 0),
    8320,
  );
  assert.is(
    caches.reduce((sum, spec) => sum + tensorBytes(spec), 0),
    16 * 8320,
  );
});

test("logits move a little, and not at all with f32 caches", async () => {
  const exact = await logitsOf(await reference(), "f32", []);
  const error = relativeError(await logitsOf(await reference(), "int8", []), exact);
  assert.ok(error > 1e-4 && error < 0.05, String(error));
});

test("every build computes what the reference does, whole or cut", async () => {
  const expected = await logitsOf(await reference(), "int8", []);
  // Where a difference of f32 sums moves a key across the middle of two codes, that is a whole step, as in backends-agree.
  const noise = relativeError(expected, await logitsOf(await reference(), "f32", []));
  for (const variant of await runningVariants()) {
    for (const cuts of [[], [5], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]) {
      const backend = await openWasm(nodePlatform(), { variant, threads: 1 });
      const error = relativeError(await logitsOf(backend, "int8", cuts), expected);
      assert.ok(error < noise / 2, `${variant}, cuts ${cuts}: ${error} of ${noise}`);
    }
  }
});

test.run();
