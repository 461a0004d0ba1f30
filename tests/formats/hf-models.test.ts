// Tiny seeded models of every supported architecture against transformers' own logits at every position: biases, grouped
// heads, scaled rotary frequencies, tied heads, LLaVA's feature layer -2. Made once by scripts/fixtures/tiny_models.py.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { openBackends } from "../conformance/backends.js";
import { relativeError } from "../conformance/case.js";
import { root } from "../support/root.js";

interface Expected {
  readonly ids: number[];
  readonly pixels?: number[];
  readonly logits: number[][];
}

const platform = nodePlatform();
const backends = await openBackends();
const quantizer = await openQuantizer(platform);

for (const name of ["llama3-scaled", "llama-linear-tied", "mistral", "qwen2", "llama-yarn", "llama-dynamic", "llava"]) {
  test(`${name} agrees with transformers`, async () => {
    const folder = join(root, "tests/fixtures/hf", name);
    const { ids, pixels, logits } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Expected;
    for (const { name: backendName, open } of backends) {
      const model = await openModel(platform, folder);
      const options = { plan: planOf("f32"), activations: "f32", logitRows: ids.length } as const;
      const loaded = await loadModel(model, { backend: await open(), quantizer, readFloat32 }, options);
      const session = openSession(loaded);
      if (pixels) await session.see(Float32Array.from(pixels));
      const ours = await session.score(ids);
      const error = relativeError(ours, logits.flat());
      assert.ok(error < 1e-4, `${backendName}: relative error ${error}`);
      await loaded.backend.close();
      await closeModel(model);
    }
  });
}

test.run();
