// Threads under the emulated source: blocks translated before the first of them, more threads than the plugin has counters for, and a
// program of many hands, GNU sort in a locale whose tables are mapped shared. None fails, and what they count is theirs.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ensureDebian } from "../support/debian.js";
import { temporaryFolder } from "../support/folder.js";
import { need } from "../support/need.js";
import { buildPlugin, compileProgram, EMULATOR_PACKAGES, runEmulated, sumOf } from "./bed.js";

const MIB = 2 ** 20;
const options = { llcBytes: MIB, epochInstructions: 1e6 };

const ready = need(
  process.platform === "linux" && process.arch === "x64",
  "Linux on x86-64",
  "QEMU user mode runs there",
);
if (ready && ensureDebian(EMULATOR_PACKAGES)) {
  buildPlugin();
  const shared = compileProgram("shared", ["-O1", "-static"]);
  /** Filling an array misses each of its lines once, and so does each pass; the first thread does all of it before the others. */
  const linesOf = (threads: number, mib: number, passes: number) => ((threads + 1) * (passes + 1) * mib * MIB) / 64;

  test("threads of a program that shared memory before its first clone count their own lines", async () => {
    const run = await runEmulated([shared, "2", "8", "3"], options);
    assert.is(run.status, 0, run.stderr);
    assert.is(run.stdout, "2\n");
    const misses = sumOf(run.epochs, "llcMisses");
    assert.ok(Math.abs(misses / linesOf(2, 8, 3) - 1) < 0.005, `${misses} of ${linesOf(2, 8, 3)}`);
    const byThread = new Map<number, number>();
    for (const { threads, counters } of run.epochs) {
      const tid = threads[0]?.tid ?? 0;
      byThread.set(tid, (byThread.get(tid) ?? 0) + (counters.llcMisses ?? 0));
    }
    assert.is(byThread.size, 3);
    for (const lines of byThread.values()) {
      assert.ok(Math.abs(lines / linesOf(0, 8, 3) - 1) < 0.01, `${[...byThread.values()]} of ${linesOf(0, 8, 3)}`);
    }
  });

  test("threads beyond 255 at once share a cache and counters, and none is lost", async () => {
    const run = await runEmulated([shared, "300", "1", "2"], { ...options, llcBytes: MIB / 4 });
    assert.is(run.status, 0, run.stderr);
    assert.is(run.stdout, "300\n");
    const misses = sumOf(run.epochs, "llcMisses");
    assert.ok(Math.abs(misses / linesOf(300, 1, 2) - 1) < 0.1, `${misses} of ${linesOf(300, 1, 2)}`);
  });

  const sort = "/usr/bin/sort";
  if (need(existsSync(sort), "GNU sort", "the emulator runs it")) {
    test("GNU sort of 200,000 lines with two threads gives what it gives without the emulator", async () => {
      const folder = temporaryFolder("sort");
      const [lines, out] = [join(folder, "lines"), join(folder, "sorted")];
      const numbers = Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 200_003);
      writeFileSync(lines, `${numbers.join("\n")}\n`);
      const locale = process.env.LC_ALL;
      process.env.LC_ALL = "C.UTF-8";
      try {
        const expected = spawnSync(sort, [lines], { encoding: "utf8", maxBuffer: 2 ** 26 }).stdout;
        const run = await runEmulated([sort, "--parallel=2", lines, "-o", out], options);
        assert.is(run.status, 0, run.stderr);
        assert.ok(readFileSync(out, "utf8") === expected, "the same lines in the same order");
        assert.is(new Set(run.epochs.flatMap(({ threads }) => threads.map(({ tid }) => tid))).size, 2);
      } finally {
        if (locale === undefined) delete process.env.LC_ALL;
        else process.env.LC_ALL = locale;
      }
    });
  }
}

test.run();
