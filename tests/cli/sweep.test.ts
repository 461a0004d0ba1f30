// `nibblemark sweep`: bad input before any work; and a sweep whose lines are all there only shows them, with the front, after a torn line.

import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { keyOf } from "../../src/cli/parts/sweep-run.js";
import type { SweepLine } from "../../src/core/sweep.js";
import { newFolder, nibblemark } from "./nibblemark.js";

test("bad input", () => {
  const folder = newFolder();
  const out = join(folder.path, "lines.jsonl");
  for (const [args, pattern] of [
    [["shipped"], /RESULTS: is missing/],
    [["shipped", out, "--heal", "prayer"], /--heal: "prayer" is unknown/],
    [["shipped", out, "--quant", "int3"], /--quant: "int3" is no quantization scheme/],
    [["shipped", out, "--prune", "0", "--heal", "replaceme"], /leaves nothing to do/],
    [["shipped", out, "--topology", "nowhere"], /nowhere/],
  ] as const) {
    const { code, stderr } = nibblemark(["sweep", ...args]);
    assert.is(code, 2, stderr);
    assert.match(stderr, pattern);
  }
  folder.remove();
});

test("known lines are not measured again, a torn one is passed over, and the front is marked", () => {
  const folder = newFolder();
  const out = join(folder.path, "lines.jsonl");
  const recipe = (prune: number) => ({
    ...{ model: "no/such/model", prune, heal: "none", quant: "f16", criterion: "block-influence", extra: [] },
  });
  const line = (prune: number, weightBytes: number, kl: number): SweepLine => ({
    ...{ schemaVersion: 1, key: keyOf([recipe(prune), "local", []]), ...recipe(prune), topology: "local" },
    ...{ placement: "default", layers: 8 - prune, weightBytes, kl, klText: kl, klAnswer: 0, accuracy: null },
    tokensPerSecond: 100 - prune,
  });
  writeFileSync(out, `${JSON.stringify(line(0, 1000, 0.1))}\n${JSON.stringify(line(1, 2000, 0.2))}\n`);
  appendFileSync(out, '{"schemaVersion":1,"key":"to');
  const before = readFileSync(out, "utf8");
  const page = join(folder.path, "page.html");
  const args = ["--prune", "0,1", "--heal", "none", "--quant", "f16", "--topology", "local", "--export-html", page];
  const { code, stdout, stderr } = nibblemark(["sweep", "no/such/model", out, ...args]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /\* +0 +none +f16/);
  assert.not.match(stdout, /\* +1 +none/);
  assert.is(readFileSync(out, "utf8"), `${before}\n`);
  // The page plots both lines, one on the front and one beaten.
  const html = readFileSync(page, "utf8");
  assert.match(html, /size and divergence under local/);
  assert.match(html, /"y":\[0\.1,null\][^\]]*"y":\[null,0\.2\]/);
  folder.remove();
});

test.run();
