// Warnings are data: each has a code, says what is the matter, and what to do.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchResult } from "../../src/core/result.js";
import { warningsOf } from "../../src/run/warnings.js";
import { outliers } from "../../src/stats/outliers.js";
import { summarize } from "../../src/stats/summary.js";
import { RESULT } from "../report/fixture.js";

const statistics = { summarize, outliers };
const codes = (changes: Partial<BenchResult>) =>
  warningsOf({ ...RESULT, ...changes }, statistics).map(({ code }) => code);

test("the fixed result: few rounds, and a model that fits the cache", () => {
  assert.equal(codes({}), ["few-samples", "fits-cache"]);
});

test("the cache warning names only the model that fits", () => {
  const found = warningsOf(RESULT, statistics).filter(({ code }) => code === "fits-cache");
  assert.is(found.length, 1);
  assert.ok(found[0]?.message.startsWith("tiny"));
  assert.ok(found.every(({ remedy }) => remedy.length > 0));
});

test("a busy machine", () => {
  const environment = { ...RESULT.environment, load: [3, 1, 1] };
  assert.ok(codes({ environment }).includes("noisy"));
});

test("an outlier among many samples", () => {
  const cases = RESULT.cases.map((entry) =>
    entry.state === "measured" ? { ...entry, samplesNs: [9, 10, 11, 9, 11, 10, 100] } : entry,
  );
  const found = codes({ cases });
  assert.ok(found.includes("outliers"));
  assert.not.ok(found.includes("few-samples"));
});

test("no threads where some could be", () => {
  const targets = RESULT.targets.map((status) =>
    status.available ? status : { ...status, target: { ...status.target, threads: 2 } },
  );
  assert.ok(codes({ targets }).includes("single-thread"));
});

test("stopped by the user", () => {
  assert.is(codes({ interrupted: true })[0], "interrupted");
});

test("quality without finite logits", () => {
  const quality = RESULT.quality.map((entry) => ({ ...entry, figures: {} }));
  assert.ok(codes({ quality }).includes("not-finite"));
});

test.run();
