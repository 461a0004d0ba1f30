// The report of a compression: scores side by side with what is removed, agreement, stages against the original, and its plots.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CompressionReport, StageReport } from "../../src/core/compression.js";
import { compressionCharts, compressionSections } from "../../src/report/compression-section.js";
import { PLAIN, sectionLines } from "../../src/report/table.js";

const stage = (name: StageReport["stage"], weightBytes: number, klText: number): StageReport => ({
  ...{ stage: name, layers: 8, weightBytes, bitsPerWeight: 16, runBytes: 2 ** 21, contextTokens: 512 },
  figures: { klText: { value: klText, unit: "1", source: "measured" } },
});

const report: CompressionReport = {
  schemaVersion: 1,
  ...{ input: "in", output: "out", plan: "", kv: "f32", removed: [1], seconds: 1, peakBytes: null, warnings: [] },
  ...{ shape: "8 blocks", decoder: { bits: 4, group: 64, meanBits: null } },
  stages: [stage("original", 4 * 2 ** 20, 0), stage("quantized", 2 ** 20, 0.25)],
  criteria: [
    {
      criterion: "first",
      removed: [1],
      scores: { all: [3, 1, 2], image: [null, 5, 6] },
      kendall: null,
      spearman: null,
    },
    { criterion: "second", removed: [2], scores: { all: [3, 2, 1] }, kendall: 1 / 3, spearman: 0.5 },
  ],
  heal: {
    runs: [{ first: 1, last: 1, before: 0.5, after: 0.25 }],
    sft: { start: 3, loss: 2.5, step: 20 },
    log: [
      { step: 0, loss: 2, heldOut: 3 },
      { step: 1, loss: 1, heldOut: null },
    ],
  },
  awq: [{ layer: 0, gain: 1.5 }],
  activity: [{ layer: 0, classes: { image: { attentionIn: 1, down: 2 }, answer: { attentionIn: 3, down: 4 } } }],
};

const text = compressionSections(report)
  .flatMap((section) => sectionLines(section, PLAIN))
  .join("\n");

test("tables say what was removed and what it cost", () => {
  const [all, image] = text.split("Scores of blocks by image tokens");
  assert.match(all, /block +first +second/);
  assert.match(all, /^1 \* +1\.00 +2\.00$/m);
  assert.match(all, /^0 +3\.00 +3\.00$/m);
  // A class has a table of its own; a dash stands where a criterion has no score of it.
  assert.match(image, /block +first +second/);
  assert.match(image, /^1 \* +5\.00 +–$/m);
  assert.match(image, /^0 +– +–$/m);
  assert.match(text, /^second +2 +0\.33 +0\.50$/m);
  assert.match(text, /^1 +0\.500 +0\.250$/m);
  assert.match(text, /^kept, of step 20 +2\.5000$/m);
  assert.match(text, /^quantized +8 +1\.00 MiB +75\.0 +16\.00 +2\.00 MiB +0\.2500$/m);
  assert.match(text, /^answer +3\.00 +4\.00$/m);
});

test("plots scale scores to 0..1 and hold the held-out loss between evaluations", () => {
  const [scores, loss] = compressionCharts(report);
  assert.equal(
    scores.series.map(({ y }) => y),
    [
      [1, 0, 0.5],
      [1, 0.5, 0],
    ],
  );
  assert.equal(loss.series[1].y, [3, 3]);
});

test.run();
