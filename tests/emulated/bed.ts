// Compiles programs of tests/emulated/programs, runs them under the emulated counter source and under cachegrind, and adds up.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CountedEpoch } from "../../src/core/counters.js";
import type { Region } from "../../src/core/regions.js";
import { cacheShape } from "../../src/counters/emulated/shape.js";
import { type EmulatedOptions, openEmulated } from "../../src/counters/emulated.js";
import { emulatorHost } from "../../src/platform/emulator.js";
import { temporaryFolder } from "../support/folder.js";
import { root } from "../support/root.js";

export const EMULATOR_PACKAGES = ["qemu-user", "gcc", "libc6-dev"];
const folder = temporaryFolder("programs");

/** Builds the plugin where it is stale. */
export function buildPlugin(): void {
  execFileSync(process.execPath, [join(root, "scripts", "build-plugin.mjs")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Path of a compiled program of the programs folder. */
export function compileProgram(name: string, flags: readonly string[] = ["-O2", "-static"], as = name): string {
  const program = join(folder, as);
  execFileSync("gcc", [...flags, "-o", program, join(root, "tests", "emulated", "programs", `${name}.c`), "-lpthread"]);
  return program;
}

export interface EmulatedRun {
  readonly epochs: readonly CountedEpoch[];
  /** All that was ever mapped. */
  readonly regions: readonly Region[];
  readonly notes: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly seconds: number;
}

/** Runs a command under the source to its end. */
export async function runEmulated(command: readonly string[], options: EmulatedOptions): Promise<EmulatedRun> {
  const source = openEmulated(emulatorHost(), options);
  const [file = "", ...args] = command;
  if (!source.launch) throw new Error("the source starts nothing");
  const launch = await source.launch({ file, name: "", args, env: {} });
  const started = process.hrtime.bigint();
  const { stdout, stderr, status } = spawnSync(launch.file, launch.args, {
    encoding: "utf8",
    env: { ...process.env, ...launch.env },
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const session = await source.open(0, false);
  try {
    const epochs = await session.finish();
    return { epochs, regions: session.regions?.() ?? [], notes: session.notes, stdout, stderr, status, seconds };
  } finally {
    session.close();
  }
}

/** Sum of a counter over epochs. */
export const sumOf = (epochs: readonly CountedEpoch[], counter: string): number =>
  epochs.reduce((sum, { counters }) => sum + (counters[counter] ?? 0), 0);

/** Data lines that missed the last level of cachegrind's model (Nethercote and Seward 2003), which has the same shapes. */
export function cachegrindMisses(command: readonly string[], llcBytes: number): number {
  const { sets, ways } = cacheShape(llcBytes);
  const out = join(folder, `cachegrind.${process.pid}`);
  const geometry = ["--I1=32768,8,64", "--D1=49152,12,64", `--LL=${sets * ways[1] * 64},${ways[1]},64`];
  const options = ["--tool=cachegrind", "--cache-sim=yes", ...geometry, `--cachegrind-out-file=${out}`];
  execFileSync("valgrind", [...options, ...command], { stdio: ["ignore", "ignore", "pipe"] });
  const text = readFileSync(out, "utf8");
  const events = (/^events: (.*)$/m.exec(text)?.[1] ?? "").split(" ");
  const summary = (/^summary: (.*)$/m.exec(text)?.[1] ?? "").split(" ").map(Number);
  return ["DLmr", "DLmw"].reduce((sum, name) => sum + (summary[events.indexOf(name)] ?? Number.NaN), 0);
}
