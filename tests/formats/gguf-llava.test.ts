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
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { shipped, writeShipped } from "./write-shipped.js";

const platform = nodePlatform();
const swap = (name: string): string =>
  name.replace(/ffn_(up|down)/, (_, which) => (which === "up" ? "ffn_down" : "ffn_up"));

/** Logits after a picture of noise and a few tokens. */
async function see(path: string): Promise<Float32Array> {
  const model = await openModel(platform, path);
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

for (const [name, rename] of [
  ["new names", undefined],
  ["swapped names", swap],
] as const) {
  test(`${name}: the same logits after a picture`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
    try {
      const [want, got] = [await see(shipped), await see(await writeShipped(folder, "F16", rename))];
      const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i])), 0);
      assert.ok(worst < 2e-3, `logits differ by ${worst}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

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
