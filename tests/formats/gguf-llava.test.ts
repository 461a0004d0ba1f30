// LLaVA as GGUF: the model with its projector beside it sees what the folder of safetensors sees, also when an old writer
// swapped the names of the MLP's layers; two projectors that both fit are refused.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { openWasm } from "../../src/backends/wasm.js";
import type { Model } from "../../src/core/model.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { readGgufHeader } from "../../src/formats/gguf/header.js";
import { readProjector } from "../../src/formats/gguf/vision.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { strictSource } from "../fuzz/files.js";
import { projectorBytes } from "../fuzz/mmproj.js";
import { shipped, writeShipped } from "./write-shipped.js";

const platform = nodePlatform();
const swap = (name: string): string =>
  name.replace(/ffn_(up|down)/, (_, which) => (which === "up" ? "ffn_down" : "ffn_up"));

/** Logits after a picture of noise and a few tokens. */
async function see(path: string, featureLayer?: number): Promise<Float32Array> {
  const opened = await openModel(platform, path);
  const model = featureLayer === undefined ? opened : withLayer(opened, featureLayer);
  const backend = await openWasm(platform, { variant: "simd", threads: 1 });
  try {
    const { config } = model;
    if (config.architecture !== "llava") throw new Error(`${path} does not see`);
    const random = uniform(2);
    const pixels = Float32Array.from({ length: 3 * config.vision.imageSize ** 2 }, () => random() * 2 - 1);
    const parts = {
      backend,
      readFloat32,
      quantizer: await openQuantizer(platform),
      repacker: await openRepacker(platform),
    };
    const plan = planOf("stored", model.stored);
    const session = openSession(await loadModel(model, parts, { plan, activations: "f32", context: 64 }));
    await session.see(pixels);
    return await session.logits([1, ...new Array<number>(16).fill(config.imageTokenId), 300, 301]);
  } finally {
    await backend.close();
    await closeModel(model);
  }
}

function withLayer(model: Model, featureLayer: number): Model {
  if (model.config.architecture !== "llava") throw new Error(`${model.name} does not see`);
  return { ...model, config: { ...model.config, vision: { ...model.config.vision, featureLayer } } };
}

async function towerOf(layers: readonly number[]) {
  return readProjector(await readGgufHeader(strictSource("mmproj.gguf", projectorBytes(layers))));
}

const worstOf = (got: Float32Array, want: Float32Array): number =>
  got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i])), 0);

for (const [name, rename] of [
  ["new names", undefined],
  ["swapped names", swap],
] as const) {
  test(`${name}: the same logits after a picture`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
    try {
      const [want, got] = [await see(shipped), await see(await writeShipped(folder, "F16", rename))];
      const worst = worstOf(got, want);
      assert.ok(worst < 2e-3, `logits differ by ${worst}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test("the layer before the last: the file says which one, and holds no layer beyond it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
  try {
    const path = await writeShipped(folder, "F32", undefined, -2);
    const eyes = await readGgufHeader(await platform.open(join(folder, "mmproj.gguf")));
    assert.equal([...(eyes.metadata.get("clip.vision.feature_layer") as Int32Array)], [2]);
    assert.is(eyes.metadata.get("clip.vision.block_count"), 2);
    const [want, got] = [await see(shipped, -2), await see(path)];
    assert.ok(worstOf(got, want) < 2e-3, `logits differ by ${worstOf(got, want)}`);
    assert.ok(worstOf(await see(shipped), want) > 0.1, "the layer matters");
    await eyes.source.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const [layers, expected] of [
  [[0], 0],
  [[1], -1],
] as const) {
  test(`a tower of one layer whose file names layer ${layers}`, async () => {
    assert.is((await towerOf(layers)).vision.featureLayer, expected);
  });
}

test("layers that are not there, and several of them, are refused", async () => {
  for (const layers of [[2], [-1], [0, 1], []]) {
    const refused = await towerOf(layers).then(
      () => "",
      (error: Error) => error.message,
    );
    assert.match(refused, /clip.vision.feature_layer/, `${layers}`);
  }
});

test("two projectors that fit are refused, another model's is passed over", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
  try {
    const path = await writeShipped(folder, "Q8_0");
    copyFileSync(join(folder, "mmproj.gguf"), join(folder, "mmproj-2.gguf"));
    let message = "";
    await openModel(platform, path).catch((error: Error) => {
      message = error.message;
    });
    assert.match(message, /mmproj-2.gguf, mmproj.gguf all fit this model/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
