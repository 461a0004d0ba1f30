// Structural pruning: an identity block leaves without changing a bit of the logits, in shards too; configs lose every entry of the
// removed blocks; impossible sets are refused.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openWasm } from "../../src/backends/wasm.js";
import { keptLayers, PRESETS, prunedSettings, prunedSource } from "../../src/compress/prune.js";
import type { WriteSource } from "../../src/core/write.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { writeHfFolder } from "../../src/formats/hf-write.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { outputFolder } from "../../src/platform/node-output.js";
import { inFolder, platform, rounder, shipped, withSource } from "../formats/writers.js";
import { refuses } from "../support/refuses.js";

const settings = JSON.parse(readFileSync(join(shipped, "config.json"), "utf8"));
const tokens = [1, 120, 300, 77, 500, 9];

async function write(source: WriteSource, config: object, path: string, shardBytes: number): Promise<void> {
  const folder = await outputFolder(path, { replace: false });
  const plan = { form: { kind: "f32" }, settings: { ...config }, files: [], provenance: {}, shardBytes } as const;
  await writeHfFolder(folder, source, plan, { rounder });
  await folder.commit();
}

async function logits(path: string): Promise<Float32Array> {
  const model = await openModel(platform, path);
  const backend = await openWasm(platform, { variant: "simd", threads: 1 });
  const options = { plan: planOf("f32"), activations: "f32", logitRows: tokens.length } as const;
  const loaded = await loadModel(model, { backend, quantizer: await openQuantizer(platform), readFloat32 }, options);
  const result = await openSession(loaded).score(tokens);
  await backend.close();
  await closeModel(model);
  return result;
}

/** The shipped model with blocks that only pass on what they get. */
function withIdentity(source: WriteSource, layers: readonly number[]): WriteSource {
  const isZero = (name: string) =>
    layers.some((layer) => new RegExp(`^model\\.layers\\.${layer}\\..*(?:o_proj|down_proj)\\.weight$`).test(name));
  const tensors = source.tensors.map((tensor) =>
    isZero(tensor.name) ? { ...tensor, floats: async () => (await tensor.floats()).fill(0) } : tensor,
  );
  return { ...source, tensors };
}

test("removing identity blocks changes no bit of the logits", () =>
  inFolder(async (folder) => {
    await withSource(shipped, async (source) => {
      const removed = [2, 5, 6];
      const whole = withIdentity(source, removed);
      await write(whole, settings, join(folder, "whole"), 5e9);
      const config = prunedSettings(settings, 8, keptLayers(8, removed));
      await write(prunedSource(whole, removed), config, join(folder, "pruned"), 1e6);
    });
    assert.ok(existsSync(join(folder, "pruned", "model.safetensors.index.json")));
    const [before, after] = [await logits(join(folder, "whole")), await logits(join(folder, "pruned"))];
    assert.equal(new Uint32Array(after.buffer), new Uint32Array(before.buffer));
  }));

test("every entry of a removed block leaves the config", () => {
  const text = {
    num_hidden_layers: 4,
    layer_types: ["full", "sliding", "full", "sliding"],
    window_sizes: [1, 2, 3, 4],
    max_window_layers: 3,
    eos_token_id: [1, 2, 3, 4],
    rope_scaling: { short_factor: [1, 2, 3, 4] },
    quantization_config: { ignore: ["model.layers.1.mlp.down_proj", "model.layers.3.mlp.down_proj", "lm_head"] },
  };
  const vision = { num_hidden_layers: 4, widths: [1, 2, 3, 4] };
  const kept = keptLayers(4, [1, 2]);
  const pruned = prunedSettings({ text_config: text, vision_config: vision }, 4, kept);
  assert.equal(pruned, {
    text_config: {
      num_hidden_layers: 2,
      layer_types: ["full", "sliding"],
      window_sizes: [1, 4],
      max_window_layers: 1,
      eos_token_id: [1, 2, 3, 4],
      rope_scaling: { short_factor: [1, 2, 3, 4] },
      quantization_config: { ignore: ["model.layers.1.mlp.down_proj", "lm_head"] },
    },
    vision_config: vision,
  });
  // A partial text_config, as LLaVA-1.5's: the number must stand there afterwards.
  const partial = prunedSettings({ text_config: { model_type: "llama" } }, 32, keptLayers(32, [3])) as typeof settings;
  assert.is(partial.text_config.num_hidden_layers, 31);
});

test("the published order keeps the published blocks", () => {
  const { order } = PRESETS["derm-llava"];
  const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const kept = (k: number) => keptLayers(32, order.slice(0, k));
  assert.equal(kept(4), [...range(0, 3), ...range(5, 17), 19, 20, 21, ...range(24, 31)]);
  assert.equal(kept(6), [...range(0, 3), ...range(5, 17), 19, 20, ...range(25, 31)]);
  assert.equal(kept(8), [...range(0, 3), ...range(5, 16), 19, 20, 25, 26, ...range(28, 31)]);
  assert.equal(kept(10), [...range(0, 3), ...range(5, 16), 19, 25, ...range(28, 31)]);
  assert.equal(kept(14), [...range(0, 3), ...range(6, 16), 25, 30, 31]);
});

test("impossible sets are refused", async () => {
  await refuses(() => keptLayers(8, [0, 1, 2, 3, 4, 5, 6, 7]), /would leave none/);
  await refuses(() => keptLayers(8, [8]), /no block 8/);
  await refuses(() => keptLayers(8, [3, 3]), /named twice/);
});

test.run();
