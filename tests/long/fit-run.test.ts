// One layer of the whole LLaVA-1.5-7B shape: vision, 1,024 tokens of prefill and decode in one memory; all logits finite, the peak told.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { FitRun } from "../../src/core/fit-run.js";
import { nibblemark } from "../cli/nibblemark.js";

test("vision, prefill and decode in one linear memory", () => {
  const args = ["bench", "--shape", "llava-1.5-7b", "--fit", "1GiB", "--layers", "1", "-o", "json", "-q"];
  const { code, stdout, stderr } = nibblemark(args);
  assert.is(code, 0, stderr);
  const run = JSON.parse(stdout) as FitRun;
  assert.is(run.imageTokens + run.textTokens, 1024);
  assert.is(run.finiteLogits, (1 + run.decodeTokens) * 32_064);
  assert.is(run.tokens.length, 1 + run.decodeTokens);
  assert.ok(run.memoryPages < 65_535 && run.memoryBytes === run.memoryPages * 65_536);
  assert.ok(run.peakBytes !== null && run.peakBytes < 2 ** 30, `${run.peakBytes}`);
});

test.run();
