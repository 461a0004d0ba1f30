// Of 30 programs with known rates, in how many the truth lies in the 95 % intervals of the breakpoint source.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { newFolder } from "../cli/nibblemark.js";
import { needNative } from "../support/native.js";
import { need } from "../support/need.js";
import { compileRegions, estimateKnown } from "../watch/known-regions.js";

const RUNS = Number(process.env.NIBBLEMARK_RUNS ?? 30);
const LOOKS = 150;

const addon = needNative();
const folder = newFolder();
const target = compileRegions(folder.path);
if (addon && need(target !== null, "a C compiler", "Install gcc")) {
  test("about 95 % of the intervals hold the truth", async () => {
    const inside = new Map<string, number>();
    const widths: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      for (const { name, span, truth } of await estimateKnown(addon, target as string, LOOKS)) {
        const good = span[0] <= truth && truth <= span[1];
        inside.set(name, (inside.get(name) ?? 0) + (good ? 1 : 0));
        if (span[0] > 0) widths.push(span[1] / span[0]);
        if (!good) console.log(`run ${run}, ${name}: ${span[0]} to ${span[1]}, truth ${truth}`);
      }
    }
    const all = [...inside.values()].reduce((a, b) => a + b, 0);
    const middle = widths.sort((a, b) => a - b)[widths.length >> 1];
    const told = `${all} of ${3 * RUNS} inside (${[...inside].map(([name, count]) => `${name} ${count}`).join(", ")}), high over low ${middle?.toFixed(1)}`;
    console.log(told);
    // 95 % less three standard errors.
    assert.ok(all / (3 * RUNS) >= 0.95 - 3 * Math.sqrt((0.95 * 0.05) / (3 * RUNS)), told);
  });
}

test.after(() => folder.remove());
test.run();
