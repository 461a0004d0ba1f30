// The peers benchmark turns rounds into ratios: disturbed samples do not count, slow peers are in some rounds only, and a
// faster one of two is taken round by round.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { caseData, rateOf, ratioOf } from "../../benchmarks/peers/analysis.js";
import { BARS } from "../../benchmarks/peers/bars.js";
import { CASES } from "../../benchmarks/peers/case.js";
import type { Line } from "../../benchmarks/peers/record.js";
import { barRows, barTable, caseTable } from "../../benchmarks/peers/tables.js";

const task = CASES[0];
const OURS = "nibblemark/24/1:int8";
const PEER = "onnxruntime-node/24/1:acc4";

const timing = (ns: number, change: object = {}) => ({
  ...{ ns, amount: 8, paceUs: 10, preempted: 0, cpuNs: ns },
  ...change,
});

function round(samples: Record<string, ReturnType<typeof timing>>, load = 0): Line {
  return { kind: "round", case: task.id, build: "b", time: "t", load, samples };
}

const even = round({ [OURS]: timing(100), [PEER]: timing(200) });

test("a ratio is the median of the rounds' ratios", () => {
  const slower = round({ [OURS]: timing(100), [PEER]: timing(150) });
  const data = caseData(task, [even, even, slower, even, even]);
  const { median, low, high, count, quiet } = ratioOf(data, [OURS], [PEER]);
  assert.equal([median, low, high, count, quiet], [2, 1.5, 2, 5, true]);
});

for (const [name, disturbed] of [
  ["whose core was slow", round({ [OURS]: timing(900, { paceUs: 13 }), [PEER]: timing(200) })],
  ["that lost its processor", round({ [OURS]: timing(900, { cpuNs: 500 }), [PEER]: timing(200) })],
  ["taken while others worked", round({ [OURS]: timing(900), [PEER]: timing(200) }, 0.9)],
] as const) {
  test(`a sample ${name} does not count`, () => {
    const data = caseData(task, [even, even, even, even, even, disturbed]);
    assert.is(ratioOf(data, [OURS], [PEER]).count, 5);
    assert.is(ratioOf(data, [OURS], [PEER]).low, 2);
  });
}

test("where hardly a round was quiet all count, and the figure says so", () => {
  const busy = round({ [OURS]: timing(100), [PEER]: timing(200) }, 0.9);
  const { count, quiet } = rateOf(caseData(task, [even, even, busy, busy, busy]), OURS);
  assert.equal([count, quiet], [5, false]);
});

test("of several peers the fastest of each round counts, and only rounds with a peer", () => {
  const other = "onnxruntime-web/24/1:acc0";
  const both = round({ [OURS]: timing(100), [PEER]: timing(200), [other]: timing(150) });
  const alone = round({ [OURS]: timing(100) });
  const { median, count } = ratioOf(caseData(task, [both, alone, both, alone, both]), [OURS], [PEER, other]);
  assert.equal([median, count], [1.5, 3]);
});

test("every bar has its case, and tables tell what was reached", () => {
  const known = new Set(CASES.map(({ id }) => id));
  assert.equal(
    BARS.filter((bar) => !known.has(bar.case)),
    [],
  );
  const data = caseData(task, [even, even, even, even, even]);
  const rows = barRows(new Map([[task.id, data]]));
  const native = rows.find(({ label }) => label === "GEMV 4096x4096 g32, int8, over onnxruntime-node level 4");
  assert.is(native?.reached, true);
  assert.is(rows.find(({ label }) => label.includes("onnxruntime-web"))?.reached, null);
  assert.match(barTable(rows), /int8, over onnxruntime-node level 4 \| ≥ 1.4 x \| 2.00 \| yes \| 5, 0.00 \|/);
  // 8 matrices of 9437184 bytes in 100 ns.
  assert.match(caseTable(data), /nibblemark\/24\/1:int8 \| 0.0000125 ms \| 7.55e\+5/);
});

test.run();
