// The budget of LLaVA-1.5-7B agrees with tables that were computed apart from it: weights, totals, and the least number of blocks that
// must go for 4 GiB.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { FIT_SCHEMES, fitBytes, KV_FORMS, leastRemoved } from "../../src/compress/budget.js";
import { GIB } from "../../src/core/units.js";
import { llava15 } from "../../src/model/shapes.js";
import { root } from "../support/root.js";

const golden = JSON.parse(readFileSync(join(root, "tests", "golden", "fit-budget.json"), "utf8"));
const config = llava15(32);
const COLUMNS = [1024, 2048, 4096].flatMap((context) => KV_FORMS.map((kv) => ({ context, kv })));
const schemeOf = (name: string) => FIT_SCHEMES.find((one) => one.name === name) as (typeof FIT_SCHEMES)[number];
const near = (bytes: number, gib: number, digits: number, what: string) =>
  assert.ok(Math.abs(bytes / GIB - gib) <= 0.5001 * 10 ** -digits, `${what}: ${bytes / GIB} beside ${gib}`);

for (const name of ["awq", "mixed", "small"]) {
  test(`${name}: weights and totals of 0 to 14 removed blocks`, () => {
    assert.is(golden[name].length, 15);
    for (const [removed, [weights, ...totals]] of golden[name].entries()) {
      near(fitBytes(config, 32 - removed, schemeOf(name), "f16", 1024).weights, weights, 3, `${name} k=${removed}`);
      for (const [i, { context, kv }] of COLUMNS.entries()) {
        const { total } = fitBytes(config, 32 - removed, schemeOf(name), kv, context);
        near(total, totals[i], 2, `${name} k=${removed} ${context} ${kv}`);
      }
    }
  });
}

test("f16 and int8 weights", () => {
  for (const name of ["f16", "int8"]) {
    for (const [removed, weights] of golden[name].entries()) {
      near(fitBytes(config, 32 - removed, schemeOf(name), "f16", 1024).weights, weights, 3, `${name} k=${removed}`);
    }
  }
});

test("the least number of blocks for 4 GiB", () => {
  for (const [name, least] of Object.entries(golden.least as Record<string, number[]>)) {
    const found = COLUMNS.map(({ context, kv }) => leastRemoved(config, schemeOf(name), kv, context, 4 * GIB));
    assert.equal(found, least, name);
  }
  assert.is(leastRemoved(config, schemeOf("f16"), "f16", 1024, 0.5 * GIB), null);
});

test.run();
