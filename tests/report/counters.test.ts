// The table of hardware counters: shown where there are any, with figures that can be checked by hand.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchResult } from "../../src/core/result.js";
import { counterSection } from "../../src/report/counter-section.js";
import { measuredCases } from "../../src/report/select.js";
import { RESULT } from "./fixture.js";

const result = RESULT;
const model = measuredCases(result)[0]?.model ?? "";

function counted(counters: Readonly<Record<string, number>>): BenchResult {
  const cases = result.cases.map((entry) =>
    entry.state === "measured" ? { ...entry, epochs: entry.epochs.map((epoch) => ({ ...epoch, counters })) } : entry,
  );
  return { ...result, cases };
}

test("no hardware events, no table", () => {
  assert.is(counterSection(counted({}), model), null);
  assert.is(counterSection(counted({ taskClockNs: 5 }), model), null);
});

test("instructions per cycle, misses and counted reads stand by phase", () => {
  const section = counterSection(counted({ cycles: 1000, instructions: 2500, llcMisses: 10, stallCycles: 250 }), model);
  const [row] = section?.rows ?? [];
  const labels = section?.columns.map(({ label }) => label) ?? [];
  const cell = (label: string) => row?.[labels.indexOf(label)];
  assert.is(cell("instructions a cycle"), "2.50");
  assert.is(cell("misses per 1000 instructions"), "4.00");
  assert.is(cell("stalled"), "25.0 %");
  assert.match(cell("counted reads") ?? "", /B$/);
  assert.ok(!labels.includes("cores busy"), "what was not counted has no column");
});

test.run();
