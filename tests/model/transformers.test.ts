// The shipped model gives the logits that Hugging Face's transformers gave for it (written once by
// scripts/model/transformers_check.py), from pictures and from text: an outside judge of the whole forward pass.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Tokenizer } from "../../src/core/model.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import type { Picture } from "../../src/model/image.js";
import { preprocess } from "../../src/model/image.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { promptTokens } from "../../src/model/prompt.js";
import { openSession } from "../../src/model/session.js";
import { decodeImage } from "../../src/platform/images.js";
import { nodePlatform } from "../../src/platform/node.js";
import { openBackends } from "../conformance/backends.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";

/** Both sides compute in f32 in another order: for logits up to 10; in proportion for larger ones. */
const TOLERANCE = 1e-4;
const TILE = 64;

interface Sample {
  readonly name: string;
  readonly inputIds: readonly number[];
  readonly lastLogits: readonly number[];
  readonly tile?: number;
  readonly question?: string;
}

const folder = process.env.NIBBLEMARK_MODEL ?? join(root, "models/nibblemark-llava-2m");
const fixturePath = process.env.NIBBLEMARK_FIXTURE ?? join(root, "tests/golden/llava-2m-transformers.json");

function cutTile(sheet: Picture, tile: number): Picture {
  const left = (tile * TILE) % sheet.width;
  const top = Math.floor((tile * TILE) / sheet.width) * TILE;
  const rgb = new Uint8Array(TILE * TILE * 3);
  for (let y = 0; y < TILE; y++) {
    const from = ((top + y) * sheet.width + left) * 3;
    rgb.set(sheet.rgb.subarray(from, from + TILE * 3), y * TILE * 3);
  }
  return { width: TILE, height: TILE, rgb };
}

const there = existsSync(join(folder, "model.safetensors")) && existsSync(fixturePath);
if (
  need(there, "the shipped model or its transformers fixture", "Train and export it, then run transformers_check.py")
) {
  const fixture = JSON.parse(readFileSync(fixturePath, "utf8")) as { samples: Sample[]; modelSha256: string };
  const sheetPath = join(root, "models/nibblemark-llava-2m/eval/pictures.png");
  const sheet = decodeImage(sheetPath, readFileSync(sheetPath));
  const model = await openModel(nodePlatform(), folder);
  const { config } = model;
  const tokenizer = model.tokenizer as Tokenizer;
  if (config.architecture !== "llava") throw new Error("the shipped model is no LLaVA");

  test("the fixture is of this very file", () => {
    const bytes = readFileSync(join(folder, "model.safetensors"));
    assert.is(createHash("sha256").update(bytes).digest("hex"), fixture.modelSha256);
  });

  test("prompts have the ids of transformers", () => {
    for (const { question, inputIds } of fixture.samples.filter((sample) => sample.question)) {
      assert.equal(promptTokens(tokenizer, question ?? "", { id: config.imageTokenId, count: 16 }), inputIds);
    }
  });

  for (const { name, open } of await openBackends()) {
    test(`${name} gives the logits of transformers`, async () => {
      const parts = { backend: await open(), quantizer: plainQuantizer, readFloat32 };
      const loaded = await loadModel(model, parts, { plan: planOf("f32"), activations: "f32" });
      const session = openSession(loaded);
      for (const { inputIds, lastLogits, tile } of fixture.samples) {
        session.rewind();
        if (tile !== undefined) await session.see(preprocess(cutTile(sheet, tile), config.vision));
        const logits = await session.logits(inputIds);
        const worst = Math.max(...lastLogits.map((value, i) => Math.abs(value - logits[i])));
        const largest = Math.max(...lastLogits.map(Math.abs));
        assert.ok(worst < TOLERANCE * Math.max(1, largest / 10), `off by ${worst} of ${largest}`);
      }
      await loaded.backend.close();
    });
  }

  test.after(() => closeModel(model));
}

test.run();
