// Scaled RoPE between formats: YaRN's settings survive from GGUF to Hugging Face and back, Llama 3's factors find a place beside
// Qwen2's biases, and llama.cpp turns what we write as we do.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { openRounder } from "../../src/backends/wasm/rounder.js";
import type { DecoderConfig, ModelConfig } from "../../src/core/config.js";
import type { Model } from "../../src/core/model.js";
import { decoderParts } from "../../src/formats/gguf-export.js";
import { vocabularyMetadata } from "../../src/formats/gguf-vocabulary.js";
import { writeGguf } from "../../src/formats/gguf-write.js";
import { readConfig } from "../../src/formats/hf-config.js";
import { llama3Factor } from "../../src/formats/hf-rope.js";
import { hfSettings } from "../../src/formats/hf-settings.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { lossLog } from "../../src/formats/loss.js";
import { writeSource } from "../../src/formats/write-source.js";
import { nodePlatform } from "../../src/platform/node.js";
import { root } from "../support/root.js";
import { askLlamaCpp, assertSame, compare, haveFixtures, ourLogits, tell } from "./llama-cpp.js";

const platform = nodePlatform();
const TOKENS = Array.from({ length: 100 }, (_, i) => (i === 0 ? 1 : 3 + ((7 * i * i + 5 * i) % 200)));
const models = haveFixtures("models");
const judge = haveFixtures("llama.cpp");

/** Writes the decoder as F32 with another config; gives its path. */
async function rewritten(model: Model, decoder: DecoderConfig, folder: string): Promise<string> {
  const rounder = await openRounder(platform);
  const parts = { rounder, log: lossLog(rounder) };
  const openers = { repacker: await openRepacker(platform), quantizer: await openQuantizer(platform) };
  const data = model.tokenizer?.vocabulary?.();
  if (!data) throw new Error("the fixture has a vocabulary");
  const config: ModelConfig = { architecture: "llama", decoder };
  const source = writeSource({ ...model, config }, openers);
  const { metadata, tensors } = decoderParts(source, "F32", vocabularyMetadata(model.name, data, decoder.vocab), parts);
  const path = join(folder, "written.gguf");
  await writeGguf(platform, path, metadata, tensors);
  return path;
}

async function withFixture(name: string, work: (model: Model, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
  const model = await openModel(platform, join(root, ".cache/gguf/models", `${name}.gguf`));
  try {
    await work(model, folder);
  } finally {
    await closeModel(model);
    rmSync(folder, { recursive: true });
  }
}

async function agrees(path: string): Promise<void> {
  if (!judge) return;
  const found = compare(askLlamaCpp(path, { tokens: TOKENS }), (await ourLogits(path, TOKENS, "f32")).logits);
  console.log(tell(found));
  assertSame(found);
}

const ropeOf = ({ ropeTheta, ropeFactors, ropeGain, ropeYarn }: DecoderConfig) => {
  return { ropeTheta, ropeFactors, ropeGain, ropeYarn };
};

async function decoderOf(path: string): Promise<DecoderConfig> {
  const model = await openModel(platform, path);
  await closeModel(model);
  return model.config.decoder;
}

for (const name of ["llama-yarn-F16", "qwen2-yarn-F16"]) {
  test(`${name}: YaRN from GGUF to Hugging Face and to GGUF again`, async () => {
    if (!models) return;
    await withFixture(name, async (model, folder) => {
      const { decoder } = model.config;
      assert.is(decoder.ropeYarn?.factor, 4);
      const settings = JSON.parse(JSON.stringify(hfSettings(name, model.config, null)));
      assert.is(settings.rope_scaling.rope_type, "yarn");
      const back = readConfig("config.json", settings, null).decoder;
      assert.equal(ropeOf(back), ropeOf(decoder));
      const path = await rewritten(model, decoder, folder);
      assert.equal(ropeOf(await decoderOf(path)), ropeOf(decoder));
      await agrees(path);
    });
  });
}

test("a gain that is not YaRN's own is written as what it differs by", async () => {
  if (!models) return;
  await withFixture("llama-yarn-F16", async (model, folder) => {
    const path = await rewritten(model, { ...model.config.decoder, ropeGain: 1.3 }, folder);
    assert.ok(Math.abs(((await decoderOf(path)).ropeGain ?? 0) - 1.3) < 1e-6);
    await agrees(path);
  });
});

test("Llama 3's factors beside Qwen2's biases: llama.cpp's llama has a place for both", async () => {
  if (!models) return;
  await withFixture("qwen2-F16", async (model, folder) => {
    const { decoder } = model.config;
    const bounds = { low: 1, high: 4, context: 32 };
    const factorOf = (_: unknown, i: number) =>
      llama3Factor(decoder.ropeTheta ** ((-2 * i) / decoder.headDim), 8, bounds);
    const ropeFactors = Array.from({ length: decoder.headDim / 2 }, factorOf);
    assert.ok(new Set(ropeFactors).size > 1);
    const path = await rewritten(model, { ...decoder, ropeFactors }, folder);
    const found = await decoderOf(path);
    assert.is(found.ropeStyle, "adjacent");
    assert.equal(found.biases, decoder.biases);
    assert.equal(found.ropeFactors, [...Float32Array.from(ropeFactors)]);
    await agrees(path);
  });
});

test.run();
