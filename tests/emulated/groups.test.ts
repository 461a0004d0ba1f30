// One callback tells of accesses by the same registers at known distances: whatever changes a register between two accesses, and wherever
// lines end, as many lines are counted as with a callback for each access.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { emulatorHost } from "../../src/platform/emulator.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { buildPlugin, compileProgram, EMULATOR_PACKAGES } from "./bed.js";

const ROUNDS = 200;
/** Ways of changing a register, two pages each. */
const WAYS = 17;
const PAGE = 4096;

interface Epoch {
  readonly l1Misses: number;
  readonly chunks: readonly (readonly number[])[];
}

const ready = need(process.platform === "linux" && process.arch === "x64", "Linux on x86-64", "QEMU runs there");
if (ready && ensureDebian(EMULATOR_PACKAGES)) {
  buildPlugin();
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-groups-"));
  test.after(() => rmSync(folder, { recursive: true }));

  /** Lines that missed each level, the second of 128 KiB. */
  function counted(command: readonly string[], groups: 0 | 1): { readonly first: number; readonly last: number } {
    const { file, plugin } = emulatorHost().find();
    const out = join(folder, `out-${groups}`);
    const options = `out=${out},sets=64,ways=16:32:48,epoch=100000000000,chunk=40,groups=${groups}`;
    execFileSync(file, ["-plugin", `${plugin},${options}`, ...command], { stdio: ["ignore", "ignore", "pipe"] });
    const epochs = readFileSync(out, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Epoch)
      .filter((line) => "l1Misses" in line);
    const first = epochs.reduce((sum, { l1Misses }) => sum + l1Misses, 0);
    // After a chunk's number: stream, stride, irregular, written back and stores of the smallest size, then of the middle one.
    const lines = epochs.flatMap(({ chunks }) => chunks.map((chunk) => [6, 7, 8].map((at) => chunk[at] ?? 0)));
    return { first, last: lines.flat().reduce((sum, count) => sum + count, 0) };
  }

  test("registers that change between accesses, and accesses over the ends of lines", () => {
    const command = [compileProgram("registers"), String(ROUNDS)];
    const [each, grouped] = [counted(command, 0), counted(command, 1)];
    // The pages' first lines, then every line of the memory.
    const least = ROUNDS * WAYS * 2 * (1 + PAGE / 64) * 0.99;
    assert.ok(each.last > least, `${each.last} ${least}`);
    assert.ok(Math.abs(grouped.first - each.first) <= 4, `${grouped.first} ${each.first}`);
    assert.ok(Math.abs(grouped.last - each.last) <= 4, `${grouped.last} ${each.last}`);
  });

  test("a sort and a hash table as they are compiled", () => {
    for (const [name, count] of [
      ["sort", "200000"],
      ["hash", "100000"],
    ] as const) {
      const command = [compileProgram(name), ...(name === "hash" ? ["20"] : []), count];
      const [each, grouped] = [counted(command, 0), counted(command, 1)];
      assert.ok(Math.abs(grouped.last / each.last - 1) < 0.0005, `${name}: ${grouped.last} ${each.last}`);
    }
  });
}

test.run();
