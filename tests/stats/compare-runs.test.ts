// Verdicts of a comparison: significance and least effect both, too few samples, the geometric mean, what does not match.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { type RecordedCase, type RecordedRun, recordedRun, type UnmeasuredCase } from "../../src/core/recorded.js";
import { compareRuns, scenarioDifferences } from "../../src/stats/compare.js";
import { RESULT } from "../report/fixture.js";

const spread = (centre: number, count = 9) =>
  Array.from({ length: count }, (_, i) => centre * (1 + (i - (count - 1) / 2) / 1000));

const one = (name: string, samplesNs: readonly number[]): RecordedCase => ({
  model: "m",
  weights: "int8",
  activations: "int8",
  test: name,
  target: "node/wasm-simd/1t",
  tokens: 16,
  rate: true,
  samplesNs,
  readShare: null,
});

const run = (name: string, cases: readonly RecordedCase[], seed = "1", cpu = "x"): RecordedRun => ({
  name,
  tool: "nibblemark",
  environment: { cpu },
  scenario: { seed },
  cases,
  unmeasured: [],
  interrupted: false,
});

test("a verdict needs nine samples, significance and five percent", () => {
  const before = run("a", [
    one("tg1", spread(100)),
    one("tg2", spread(100)),
    one("tg3", spread(100)),
    one("tg4", spread(100, 8)),
  ]);
  const after = run("b", [
    one("tg1", spread(125)),
    one("tg2", spread(80)),
    one("tg3", spread(104)),
    one("tg4", spread(200)),
  ]);
  const found = compareRuns(before, after);
  assert.equal(
    found?.cases.map(({ test: name, verdict }) => [name, verdict]),
    [
      ["tg1", "slower"],
      ["tg2", "faster"],
      ["tg3", "same"],
      ["tg4", "too few to tell"],
    ],
  );
  assert.is(found?.cases[3]?.p, null);
  // (1.25 x 0.8 x 1.04 x 2)^(1/4)
  assert.ok(Math.abs((found?.meanTimeRatio ?? 0) - 2.08 ** 0.25) < 1e-9);
});

test("large but uncertain is not told apart, small is the same however certain", () => {
  const wild = [50, 60, 70, 90, 100, 120, 150, 200, 400];
  const verdict = (before: readonly number[], factor: number) => {
    const after = before.map((ns) => ns * factor);
    return compareRuns(run("a", [one("tg1", before)]), run("b", [one("tg1", after)]))?.cases[0]?.verdict;
  };
  assert.is(verdict(wild, 1.1), "not told apart");
  assert.is(verdict(wild, 1 / 1.1), "not told apart");
  assert.is(verdict(wild, 1.04), "same");
  assert.is(verdict(spread(100), 1.04), "same");
});

test("cases that ran before and failed after are told with their reason, also where none is left", () => {
  const failed = (name: string): UnmeasuredCase => ({ ...one(name, [1]), state: "failed", reason: "out of memory" });
  const before = run("a", [one("tg1", spread(1)), one("pp8", spread(1)), one("pp9", spread(1))]);
  const gone: UnmeasuredCase = { ...failed("pp9"), state: "unavailable", reason: "no adapter" };
  const found = compareRuns(before, {
    ...run("b", [one("tg1", spread(1)), one("tg2", spread(1))]),
    unmeasured: [failed("pp8"), gone],
  });
  assert.equal(found?.failed, ["m int8 int8 pp8 node/wasm-simd/1t: failed in b: out of memory"]);
  assert.equal(found?.unmatched, [
    "m int8 int8 pp9 node/wasm-simd/1t: unavailable in b: no adapter",
    "m int8 int8 tg2 node/wasm-simd/1t: only in b",
  ]);
  assert.equal(found?.warnings, ["1 of the 3 cases of a failed in b", "1 of the 3 cases of a is not in b"]);
  const none = compareRuns(run("a", [one("tg1", [1])]), { ...run("b", []), unmeasured: [failed("tg1")] });
  assert.is(none?.meanTimeRatio, null);
  assert.is(none?.failed.length, 1);
  // What failed before and runs now is no fault.
  const mended = compareRuns({ ...before, unmeasured: [failed("tg2")] }, run("b", [...before.cases, one("tg2", [1])]));
  assert.equal(mended?.failed, []);
  assert.equal(mended?.unmatched, ["m int8 int8 tg2 node/wasm-simd/1t: failed in a: out of memory"]);
});

test("what only one run has is named, other machines are told, and no common case is no comparison", () => {
  const found = compareRuns(
    run("a", [one("tg1", spread(1)), one("pp8", spread(1))]),
    run("b", [one("tg1", spread(1)), one("vision", spread(1))], "1", "y"),
  );
  assert.equal(found?.unmatched, [
    "m int8 int8 pp8 node/wasm-simd/1t: only in a",
    "m int8 int8 vision node/wasm-simd/1t: only in b",
  ]);
  assert.equal(found?.warnings, ["cpu differs: x, then y", "1 of the 2 cases of a is not in b"]);
  assert.is(compareRuns(run("a", [one("tg1", [1])]), run("b", [one("tg2", [1])])), null);
});

test("scenarios that time other things are told apart", () => {
  assert.equal(scenarioDifferences(run("a", [], "1"), run("b", [], "2")), ["seed (1; 2)"]);
  assert.equal(scenarioDifferences(run("a", []), run("b", [])), []);
});

test("workloads that differ in what no case says stay two cases of a result", () => {
  const { cases } = recordedRun("a", RESULT);
  const twice = recordedRun("a", { ...RESULT, cases: [...RESULT.cases, ...RESULT.cases] });
  assert.is(twice.cases.length, 2 * cases.length);
  assert.is(twice.cases[cases.length]?.test, `${cases[0]?.test} #2`);
  assert.is(compareRuns(twice, twice)?.cases.length, 2 * cases.length);
  assert.is(
    new Set(twice.cases.map(({ model, weights, test: name, target }) => [model, weights, name, target].join())).size,
    2 * cases.length,
  );
});

test.run();
