// The emulated source sees every thread, children after a fork, mappings by name, and says when a process goes on without it.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { buildPlugin, compileProgram, EMULATOR_PACKAGES, runEmulated, sumOf } from "./bed.js";

const MIB = 2 ** 20;
const THREADS = 4;
const PASSES = 4;
const ARRAY_MIB = 8;
const LINES = (ARRAY_MIB * MIB) / 64;
const options = { llcBytes: MIB, epochInstructions: 1e6 };

const ready = need(
  process.platform === "linux" && process.arch === "x64",
  "Linux on x86-64",
  "QEMU user mode runs there",
);
if (ready && ensureDebian(EMULATOR_PACKAGES)) {
  buildPlugin();
  const program = compileProgram("threads", ["-O1", "-static"]);

  test("threads and a forked child count all their lines", async () => {
    const run = await runEmulated([program, String(THREADS), String(ARRAY_MIB), String(PASSES)], options);
    assert.is(run.stdout, `${THREADS} 0\n`);
    // Filling an array misses each line once, and so does each pass; the child does the same again.
    const expected = (THREADS + 1) * (PASSES + 1) * LINES;
    const misses = sumOf(run.epochs, "llcMisses");
    assert.ok(Math.abs(misses / expected - 1) < 0.005, `${misses} of ${expected}`);
    const tids = new Set(run.epochs.flatMap(({ threads }) => threads.map(({ tid }) => tid)));
    // The main thread, three more, and the child.
    assert.is(tids.size, THREADS + 2);
    const stores = sumOf(run.epochs, "llcStoreMisses");
    assert.ok(Math.abs(stores / ((THREADS + 1) * LINES) - 1) < 0.01, `${stores} fetched for stores`);
    const back = sumOf(run.epochs, "llcWriteBacks");
    assert.ok(Math.abs(back / ((THREADS + 1) * LINES) - 1) < 0.02, `${back} written back`);
  });

  test("lines of a walk from one to the next are a stream, those of a chase are not", async () => {
    const sums = (epochs: Awaited<ReturnType<typeof runEmulated>>["epochs"]) => {
      const regions = epochs.flatMap((epoch) => epoch.regions);
      const of = (kind: "streamLines" | "strideLines" | "irregularLines") =>
        regions.reduce((sum, region) => sum + region[kind][1], 0);
      return { stream: of("streamLines"), stride: of("strideLines"), irregular: of("irregularLines") };
    };
    const walk = sums((await runEmulated([compileProgram("stream"), "4", "4"], options)).epochs);
    assert.ok(walk.stream > 50 * (walk.stride + walk.irregular), JSON.stringify(walk));
    const few = sums((await runEmulated([compileProgram("chase"), "16", "0"], options)).epochs);
    const many = sums((await runEmulated([compileProgram("chase"), "16", "300000"], options)).epochs);
    assert.ok(many.irregular - few.irregular > 250_000, "every step of the chase is irregular");
    assert.ok(many.stream - few.stream < 15_000, "but for those that come beside a late one by chance");
  });

  test("regions have the names of their mappings, and a smaller cache misses more", async () => {
    const { epochs } = await runEmulated([program, "1", "2", "2"], options);
    const regions = epochs.flatMap((epoch) => epoch.regions);
    assert.ok(
      regions.some(({ name }) => name.endsWith("/threads")),
      "the program's file",
    );
    const lines = regions.map(({ streamLines }) => streamLines);
    assert.ok(lines.every(([low, high]) => low <= high));
  });

  test("tries of an exec that find no program count for none", async () => {
    const PATH = `${["a", "b", "c"].map((name) => `/nowhere/${name}`).join(":")}:${process.env.PATH}`;
    const run = await runEmulated(["sh", "-c", `PATH=${PATH} exec echo out`], options);
    assert.is(run.stdout, "out\n");
    assert.ok(
      run.notes.some((note) => note.includes("1 exec went on without")),
      run.notes.join("; "),
    );
  });

  test("an exec goes on without the emulator, and the notes say so", async () => {
    const run = await runEmulated(["sh", "-c", "exec echo out"], options);
    assert.is(run.stdout, "out\n");
    assert.ok(
      run.notes.some((note) => note.includes("1 exec went on without")),
      run.notes.join("; "),
    );
  });

  test("set sampling stays near the full count", async () => {
    const command = [compileProgram("stream"), "4", "4"];
    const all = sumOf((await runEmulated(command, options)).epochs, "llcMisses");
    const some = sumOf((await runEmulated(command, { ...options, sampleShift: 3 })).epochs, "llcMisses");
    assert.ok(all !== some && Math.abs(some / all - 1) < 0.02, `${some} of ${all}`);
  });
}

test.run();
