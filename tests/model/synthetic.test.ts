// A synthetic layer of LLaVA-1.5-7B's shapes runs, with finite logits that differ from token to token, in about the bytes
// its packed weights need, and is the same for the same seed.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openWasm } from "../../src/backends/wasm.js";
import { tensorBytes } from "../../src/core/op.js";
import { openSession } from "../../src/model/session.js";
import { loadSynthetic } from "../../src/model/synthetic.js";
import { nodePlatform } from "../../src/platform/node.js";
import { refuses } from "../support/refuses.js";

const platform = nodePlatform();
const quantizer = await openQuantizer(platform);
const OPTIONS = { shape: "llava-1.5-7b", layers: 1, group: 32, activations: "int8", seed: 1, context: 32 } as const;

test("one layer with embedding and head", async () => {
  const backend = await openWasm(platform, { variant: "simd", threads: 1 });
  const loaded = await loadSynthetic(backend, quantizer, OPTIONS);
  assert.match(loaded.name, /synthetic llava-1\.5-7b, 1 layers/);
  const weights = loaded.graph.tensors.filter((spec) => spec.class === "weights");
  const bytes = weights.reduce((sum, spec) => sum + tensorBytes(spec), 0);
  // 2 x 32000 x 4096 and 4 x 4096^2 + 3 x 4096 x 11008 weights of 4.5 bits
  assert.ok(Math.abs(bytes / ((2 * 131_072_000 + 202_375_168) * 0.5625) - 1) < 0.001);
  assert.ok(backend.residentBytes() < 1.1 * bytes, `${backend.residentBytes()} for ${bytes}`);
  const session = openSession(loaded);
  const first = await session.logits([1, 2, 3, 4]);
  assert.is(first.length, 32000);
  // Codes 0..15 less 8 have a mean of -1/2, which moves all logits together; they still spread as unit variance does.
  const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
  const spread = Math.sqrt(first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / first.length);
  assert.ok(Math.abs(mean) < 20 && spread > 0.3 && spread < 3, `${mean} ${spread}`);
  const second = await session.logits([5]);
  assert.not.equal(second, first);
  session.rewind();
  assert.equal(await session.logits([1, 2, 3, 4]), first);
  await backend.close();
});

test("layers that the real model has not are refused", async () => {
  const backend = await openWasm(platform, { variant: "simd", threads: 1 });
  for (const layers of [0, 33, 1.5]) {
    await refuses(() => loadSynthetic(backend, quantizer, { ...OPTIONS, layers }), /layers: .* is not in 1 to 32/);
  }
  await refuses(() => loadSynthetic(backend, quantizer, { ...OPTIONS, context: 5000 }), /context: 5000/);
});

test.run();
