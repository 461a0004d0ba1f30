// Seeded damage to good model files: whatever is flipped, cut or put in, opening and loading ends well or in a typed
// error that names the file, never in another exception and never in an endless wait.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openReference } from "../../src/backends/reference.js";
import { InputError } from "../../src/core/errors.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { decodeImage } from "../../src/platform/images.js";
import { nodePlatform } from "../../src/platform/node.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { writeTinyLlava } from "../formats/tiny-llava.js";

const platform = nodePlatform();
const ROUNDS = process.env.NIBBLEMARK_FUZZ ? Number(process.env.NIBBLEMARK_FUZZ) : 150;

/** One of: some bytes replaced, the end cut off, bytes put in, a digit changed for another. */
function damage(bytes: Uint8Array, random: () => number, within: number): Uint8Array {
  const at = Math.floor(random() * within);
  const kind = Math.floor(random() * 4);
  const hurt = bytes.slice();
  if (kind === 1) return bytes.slice(0, at);
  if (kind === 2) return Uint8Array.from([...bytes.slice(0, at), Math.floor(random() * 256), ...bytes.slice(at)]);
  if (kind === 3) {
    const digit = hurt.findIndex((byte, i) => i >= at && byte >= 48 && byte <= 57);
    if (digit >= 0) hurt[digit] = 48 + Math.floor(random() * 10);
    return hurt;
  }
  for (let i = 0; i < 1 + random() * 3 && at + i < hurt.length; i++) hurt[at + i] = Math.floor(random() * 256);
  return hurt;
}

/** "fine", or the message of the typed error. Anything else is thrown on. */
async function outcome(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return "fine";
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

async function load(folder: string): Promise<void> {
  const model = await openModel(platform, folder);
  try {
    const parts = { backend: await openReference(platform), quantizer: plainQuantizer, readFloat32 };
    await loadModel(model, parts, { plan: planOf("f32"), activations: "f32" });
  } finally {
    await closeModel(model);
  }
}

for (const [name, within] of [
  ["model.safetensors", 4000],
  ["config.json", 600],
] as const) {
  test(`damaged ${name}`, async () => {
    const folder = await writeTinyLlava();
    const path = join(folder, name);
    const good = new Uint8Array(readFileSync(path));
    const random = uniform(name.length);
    const outcomes = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      writeFileSync(path, damage(good, random, Math.min(within, good.length)));
      outcomes.add(await outcome(() => load(folder)));
    }
    assert.ok(outcomes.size > 10, `${outcomes.size} kinds of outcome`);
  });
}

test("damaged pictures", async () => {
  const random = uniform(5);
  const sheet = platform.packagePath("models/nibblemark-llava-2m/eval/pictures.png");
  const jpeg = new Uint8Array((await import("jpeg-js")).default.encode(noise(24, 16, random), 70).data);
  const png = new Uint8Array(readFileSync(sheet)).slice(0, 3000);
  for (const good of [jpeg, png]) {
    for (let round = 0; round < ROUNDS; round++) {
      await outcome(async () => decodeImage("hurt", damage(good, random, good.length)));
    }
  }
});

function noise(width: number, height: number, random: () => number) {
  return { width, height, data: Buffer.from(Array.from({ length: width * height * 4 }, () => random() * 255)) };
}

test.run();
