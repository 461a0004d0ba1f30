// A short run of the fuzzers of Hugging Face folders and ONNX files: `npm run fuzz -- hf --runs N` runs them longer.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";
import { damagedFolder, damagedOnnx, readFolder, readOnnx } from "./hf.js";

for (const [name, make, read] of [
  ["quantized folders", damagedFolder, readFolder],
  ["ONNX files", damagedOnnx, readOnnx],
] as const) {
  test(`damaged ${name} are read or refused`, async () => {
    const repacker = await openRepacker(nodePlatform());
    const outcomes = new Map<string, number>();
    for (let run = 0; run < 1500; run++) {
      const outcome = await read(make(uniform(run)), repacker);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    assert.ok((outcomes.get("read") ?? 0) > 50, "some lies do no harm");
    assert.ok(outcomes.size > 20, `${outcomes.size} kinds of outcome`);
  });
}

test.run();
