// The relaxed builds where this Node has no relaxed SIMD: the tests of this folder again under Node 24.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fetchNode24, node24 } from "../../scripts/node24.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";
import { runningVariants } from "./variants.js";

const FILES = ["products-fuzz", "same-bits", "functions", "accuracy", "fused"];

const binary = process.env.CI === "true" ? fetchNode24() : node24();
const here = (await runningVariants()).includes("relaxed");

if (!here && need(binary !== null, "Node 24 in .cache/node24", "Run `node build/scripts/node24.js`")) {
  for (const file of FILES) {
    test(`${file} passes under Node 24 with relaxed SIMD`, () => {
      const path = join(root, "build", "tests", "wasm", `${file}.test.js`);
      const { status, stdout, stderr } = spawnSync(binary ?? "", [path], { encoding: "utf8" });
      assert.is(status, 0, stdout + stderr);
      assert.not.match(stdout, "skipped: wasm relaxed");
    });
  }
}

test.run();
