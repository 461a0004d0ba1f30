// The emulated source agrees with cachegrind, another model of the same cache, within 0.1 % of the lines that miss the last level:
// agreement of two models, not truth.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { buildPlugin, cachegrindMisses, compileProgram, EMULATOR_PACKAGES, runEmulated, sumOf } from "./bed.js";

const LLC_BYTES = 2 ** 22;
const PROGRAMS = [
  { name: "chase", args: ["16", "400000"] },
  { name: "stream", args: ["4", "4"] },
  { name: "sort", args: ["1500000"] },
  { name: "hash", args: ["20", "400000"] },
];

const ready = need(
  process.platform === "linux" && process.arch === "x64",
  "Linux on x86-64",
  "QEMU user mode and valgrind are compared there",
);
if (ready && ensureDebian([...EMULATOR_PACKAGES, "valgrind"])) {
  buildPlugin();
  for (const { name, args } of PROGRAMS) {
    test(`${name}: lines that miss`, async () => {
      const command = [compileProgram(name), ...args];
      const theirs = cachegrindMisses(command, LLC_BYTES);
      const run = await runEmulated(command, { llcBytes: LLC_BYTES, epochInstructions: 5e6 });
      assert.is(run.status, 0, run.stderr);
      const ours = sumOf(run.epochs, "llcMisses");
      const difference = ours / theirs - 1;
      console.log(`${name}: ${ours} lines here, ${theirs} in cachegrind, ${(difference * 100).toFixed(4)} %`);
      assert.ok(theirs > 100_000, "the program misses");
      assert.ok(Math.abs(difference) <= 0.001, `${(difference * 100).toFixed(4)} %`);
    });
  }
}

test.run();
