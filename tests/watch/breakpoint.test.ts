// Debug registers against a program whose lines are known: a chase and a stream over 64 MB. The estimate's interval must meet the truth.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { newFolder, nibblemark } from "../cli/nibblemark.js";
import { needNative } from "../support/native.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";
import { compileRegions, estimateKnown } from "./known-regions.js";

const addon = needNative();
const folder = newFolder();
const target = join(folder.path, "target");
const compiled = spawnSync("cc", ["-O2", "-o", target, join(root, "benchmarks", "watch", "target.c")]).status === 0;
/** Each thousand of steps is 1000 lines of a chase and 20000 words, 2500 lines, of a stream. */
const THOUSANDS = 14_000;
const LINES = THOUSANDS * 3500;
const RUNS = 3;
/** So many whatever else runs: intervals are then as wide as they are by design. */
const LOOKS = 200;

function registersWork(): boolean {
  if (!addon) return false;
  const points = new addon.Breakpoints();
  const probe = points.arm(0, 4096, false, 1);
  points.close();
  if (probe < 0) console.log(`skipped: no debug registers here (errno ${-probe})`);
  return probe >= 0;
}

interface Line {
  readonly onCpuNs: number;
  readonly poolBytes?: readonly (readonly number[])[];
  readonly predictedNs?: readonly number[];
}

if (need(compiled, "a C compiler", "Install gcc") && registersWork()) {
  /** Lower and upper end of the program's lines, as one run estimates them. */
  function estimatedLines(): readonly [number, number] {
    const file = join(folder.path, "epochs.jsonl");
    const flags = ["--source", "breakpoint", "--llc", "16MiB", "--epoch", "5", "-o", "json", "--export-jsonl", file];
    const { code, stderr } = nibblemark(["exec", ...flags, "--", target, "64", String(THOUSANDS)]);
    assert.is(code, 0, stderr);
    const result = JSON.parse(stderr);
    const epochs = readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => JSON.parse(line) as Line);
    const known = epochs.filter(({ poolBytes }) => poolBytes);
    const share = known.reduce((sum, { onCpuNs }) => sum + onCpuNs, 0) / result.onCpuNs;
    assert.ok(share > 0.1, `known for ${share} of the time`);
    assert.ok(result.slowdown[0] <= result.slowdown[1] && result.predictedNs > 0, `${result.slowdown}`);
    const sum = (end: 0 | 1) =>
      known.reduce((all, { poolBytes }) => all + (poolBytes?.[end] ?? []).reduce((a, b) => a + b, 0), 0) / 64 / share;
    return [sum(0), sum(1)];
  }

  test("the estimated lines meet those that the program read", () => {
    // Every run's interval meets the truth; how wide it is varies with the few probes that meet a touch, so the middle of three is held.
    const highs: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const [low, high] = estimatedLines();
      const told = `${low.toExponential(2)} to ${high.toExponential(2)}, the program read ${LINES.toExponential(2)}`;
      // The program also sets its memory up, which is part of neither figure: some slack on either side.
      assert.ok(low > LINES / 10 && low < LINES * 1.25 && high > LINES / 1.25, told);
      highs.push(high);
    }
    const middle = highs.sort((a, b) => a - b)[RUNS >> 1] as number;
    assert.ok(middle < LINES * 30, `at most ${middle.toExponential(2)} lines`);
  });
}

if (addon && registersWork()) {
  test("too few probes are told with their number, and are no want of counters", () => {
    const { code, stderr } = nibblemark(["exec", "--source", "breakpoint", "--epoch", "60000", "--", "sleep", "0.1"]);
    assert.is(code, 0, stderr);
    assert.match(stderr, /unknown: too few probes \(\d+ of at least 12\): run longer or shorten --epoch/);
    assert.not.match(stderr, /no counter tells/);
  });

  const regions = compileRegions(folder.path);
  if (need(regions !== null, "a C compiler", "Install gcc")) {
    test("regions of known rates lie in their intervals, which are no wider than they must be", async () => {
      const known = await estimateKnown(addon, regions as string, LOOKS);
      for (const { name, span, written, truth } of known) {
        const told = `${name}: ${span.map((rate) => (rate * 1e3).toFixed(1)).join(" to ")} lines a us, truth ${(truth * 1e3).toFixed(1)}`;
        console.log(told);
        // Three intervals of 95 %: a quarter beyond them is a run in thousands (tests/long counts how many lie inside).
        assert.ok(span[0] <= 1.25 * truth && span[1] >= truth / 1.25, told);
        if (name === "C") assert.ok(written[1] >= truth / 1.25, JSON.stringify(written));
        if (name !== "A") continue;
        // Most looks fall here; of the others a few see a touch in their window, and only the high end says something.
        assert.ok(span[0] > truth / 6 && span[1] < 6 * truth, `too wide: ${told}`);
        assert.is(written[0], 0);
      }
    });
  }
}

test.after(() => folder.remove());
test.run();
