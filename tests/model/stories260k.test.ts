// The published stories260K model reproduces its published greedy text on every backend: an oracle we did not write for
// the file format, the tokenizer, adjacent RoPE, grouped heads, SwiGLU and the KV cache together.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Tokenizer } from "../../src/core/model.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel } from "../../src/formats/index.js";
import { generateTokens, streamText } from "../../src/model/generate.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { openBackends } from "../conformance/backends.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { openStories, storiesFolder } from "./stories.js";

const folder = storiesFolder();

if (folder) {
  for (const { name, open } of await openBackends()) {
    test(`200 greedy tokens on ${name} are the published text`, async () => {
      const model = await openStories(folder);
      const parts = { backend: await open(), quantizer: plainQuantizer, readFloat32 };
      const loaded = await loadModel(model, parts, { plan: planOf("f32"), activations: "f32" });
      const sampling = { kind: "greedy" } as const;
      const tokenizer = model.tokenizer as Tokenizer;
      const prompt = [tokenizer.bosId];
      const tokens = generateTokens(openSession(loaded), prompt, 512, { maxTokens: 200, sampling, eosId: -1 });
      let text = "";
      for await (const piece of streamText(tokenizer, prompt, tokens)) text += piece;
      const published = readFileSync(join(folder, "greedy.txt"), "utf8");
      assert.is(text.length, 464);
      assert.is(text, published.slice(0, 464));
      await loaded.backend.close();
      await closeModel(model);
    });
  }
}

test.run();
