// A short run of the GGUF fuzzer: `npm run fuzz -- gguf --runs N` runs it longer.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";
import { root } from "../support/root.js";
import { damagedGguf, readAll } from "./gguf.js";

test("what the fuzzer once found is refused", async () => {
  const repacker = await openRepacker(nodePlatform());
  const folder = join(root, "tests/fuzz/corpus/gguf");
  for (const name of readdirSync(folder)) {
    const outcome = await readAll(new Uint8Array(readFileSync(join(folder, name))), repacker);
    assert.not.equal(outcome, "read", name);
  }
});

test("damaged GGUF files are read or refused", async () => {
  const repacker = await openRepacker(nodePlatform());
  const random = uniform(17);
  const outcomes = new Map<string, number>();
  for (let run = 0; run < 2000; run++) {
    const outcome = await readAll(damagedGguf(random), repacker);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  assert.ok((outcomes.get("read") ?? 0) > 20, "some lies do no harm");
  assert.ok(outcomes.size > 60, `${outcomes.size} kinds of outcome`);
});

test.run();
