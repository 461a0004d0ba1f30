// A software adapter that `all` leaves out is named with the reason; where it ran, or where targets were named, it is not.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchResult } from "../../src/core/result.js";
import type { Target } from "../../src/core/target.js";
import { sections } from "../../src/report/sections.js";
import { RESULT } from "./fixture.js";

const SOFTWARE: Target = { host: "chromium", backend: "webgpu", variant: "software", threads: 1 };

function withSoftware(wanted: "all" | readonly string[], ran: boolean): BenchResult {
  const detail = "software adapter, right but no GPU, so run only when named: swiftshader";
  const cases = ran ? RESULT.cases.map((entry) => ({ ...entry, target: SOFTWARE })) : RESULT.cases;
  return {
    ...RESULT,
    scenario: { ...RESULT.scenario, workloads: RESULT.scenario.workloads.map((one) => ({ ...one, targets: wanted })) },
    targets: [...RESULT.targets, { target: SOFTWARE, available: true, detail }],
    cases,
  };
}

const rowsOf = (result: BenchResult): string[] =>
  sections(result)
    .filter(({ title }) => title === "Not run")
    .flatMap(({ rows }) => rows.map((row) => row.join(" ")))
    .filter((row) => row.includes("To run it all the same"));

test("left out under all, it says why and how to run it", () => {
  const [row = "", ...others] = rowsOf(withSoftware("all", false));
  assert.match(row, /^chromium\/webgpu-software\/1t .*no GPU.*swiftshader\. To run it all the same: --target webgpu$/);
  assert.equal(others, []);
});

test("where it ran, or was not asked for, nothing is said of it", () => {
  assert.equal(rowsOf(withSoftware("all", true)), []);
  assert.equal(rowsOf(withSoftware(["wasm-simd"], false)), []);
});

test.run();
