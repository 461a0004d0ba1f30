// `npm run train` refuses bad input with exit code 2 and one line that says what to do, before it fetches anything.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";

const script = fileURLToPath(new URL("../../scripts/train.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "nibblemark-train-"));

const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["an unknown flag", ["--stepz", "3"], /--stepz/],
  ["steps below zero", ["--steps-joint=-1"], /--steps-joint: must be a whole number of at least 0/],
  ["no number", ["--seed", "abc"], /--seed: must be a whole number/],
  ["nothing to resume", ["--resume", "--out", folder], /checkpoint\.bin: does not exist\. Leave out --resume/],
];

for (const [name, args, message] of cases) {
  test(name, () => {
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
    assert.is(status, 2);
    assert.match(stderr, message);
    assert.not.match(stderr, /\n\s+at /);
  });
}

test.after(() => rmSync(folder, { recursive: true }));
test.run();
