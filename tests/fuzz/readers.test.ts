// A short run of the fuzzer of every reader, and what longer runs (`npm run fuzz -- NAME --runs 1000000`) once found.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";
import { root } from "../support/root.js";
import { outcomeOf } from "./fuzzer.js";
import { FUZZERS } from "./table.js";

const RUNS = 1500;
const repacker = await openRepacker(nodePlatform());

for (const [name, fuzzer] of Object.entries(FUZZERS)) {
  test(`${name}: damaged files are read or refused, within bounds`, async () => {
    const outcomes = new Map<string, number>();
    for (let run = 0; run < RUNS; run++) {
      const outcome = await outcomeOf(fuzzer, fuzzer.make(uniform(run)), repacker);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    assert.ok((outcomes.get("read") ?? 0) > 30, "some lies do no harm");
    assert.ok(outcomes.size > 4, `${outcomes.size} kinds of outcome`);
  });

  test(`${name}: what was found once`, async () => {
    const folder = join(root, "tests/fuzz/corpus", name);
    if (!existsSync(folder)) return;
    for (const file of readdirSync(folder)) {
      await outcomeOf(fuzzer, new Uint8Array(readFileSync(join(folder, file))), repacker);
    }
  });
}

test.run();
