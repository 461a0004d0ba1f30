// What a host does not tell of its machine is absent in every report, not zero: pages know neither memory nor load. Files of
// earlier versions, which said 0 there, read the same.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { recordedRun } from "../../src/core/recorded.js";
import type { BenchResult } from "../../src/core/result.js";
import { FORMATS } from "../../src/report/formats.js";
import { headline } from "../../src/report/sections.js";
import { machinesSideBySide } from "../../src/report/side-by-side.js";
import { PLAIN } from "../../src/report/table.js";
import { compareRuns } from "../../src/stats/compare.js";
import { RESULT } from "./fixture.js";

const told = (memoryBytes: number | null): BenchResult => ({
  ...RESULT,
  environment: { ...RESULT.environment, memoryBytes, load: [] },
});

for (const memoryBytes of [null, 0]) {
  test(`memory ${memoryBytes} and no load are said to be unknown`, () => {
    const machine = headline(told(memoryBytes))[1] ?? "";
    assert.match(machine, / · 2 cores · memory not told$/);
    assert.match(headline(RESULT)[1] ?? "", /8\.00 GiB · load 0\.5/);
    for (const { name, write } of FORMATS.filter(({ name }) => name === "table" || name === "md" || name === "html")) {
      const text = write(told(memoryBytes), { paint: PLAIN, assets: { script: "", style: "" } });
      assert.match(text, /2 cores · memory not told/, name);
    }
  });

  test(`a run with memory ${memoryBytes} compares and stands beside others`, () => {
    const [page, node] = [recordedRun("page", told(memoryBytes)), recordedRun("node", RESULT)];
    assert.ok(compareRuns(page, node));
    assert.is(machinesSideBySide([page, node]).columns.length, 3);
  });
}

test.run();
