// `npm run speed -- watch`: what watching costs the program that is watched, as ratios to the plain run beside it, and how exactly
// injected delays arrive. The program times itself; rounds are interleaved.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Platform } from "../src/core/ports.js";
import type { WatchResult } from "../src/core/watch.js";
import { emulated } from "./emulated.js";
import { watchOthers } from "./machine.js";
import { middle, ratio, show } from "./samples.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(root, "build", "src", "cli", "main.js");
/** Rounds of a second or two each. */
const MOST_ROUNDS = 21;
/** In a core's own cache, and far beyond the shared one: megabytes and thousands of steps, about half a second each. */
const WORKS: readonly (readonly [megabytes: string, thousands: string])[] = [
  ["1", "28000"],
  ["64", "3500"],
];
const CLOCK_MS = "1500";
const SLOW = 1.5;

interface Timed {
  readonly wallNs: number;
  readonly cpuNs: number;
  readonly gapNs: number;
  readonly waitedNs: number;
}

const ARMS: readonly { readonly name: string; readonly limit: string; readonly flags: readonly string[] | null }[] = [
  { name: "plain", limit: "", flags: null },
  { name: "zero delay, 10 ms", limit: "1.01", flags: ["--source", "none", "--epoch", "10"] },
  { name: "perf, 5 ms epochs", limit: "1.02", flags: ["--source", "perf", "--epoch", "5"] },
  { name: "breakpoint, 10 ms", limit: "1.05", flags: ["--source", "breakpoint", "--epoch", "10"] },
];

function run(file: string, args: readonly string[]): Timed {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: "utf8" });
  const numbers = stdout.trim().split(" ").map(Number);
  if (status !== 0 || numbers.length !== 4)
    throw new Error(`${file} ${args.join(" ")} ended with ${status}: ${stderr}`);
  const [wallNs = 0, cpuNs = 0, gapNs = 0, waitedNs = 0] = numbers;
  return { wallNs, cpuNs, gapNs, waitedNs };
}

const watched = (flags: readonly string[], target: string, args: readonly string[]) =>
  run(process.execPath, [MAIN, "exec", "-o", "none", ...flags, "--", target, ...args]);

/** Processor time of the program in each arm over the plain run's: what waits for a core is other programs' doing. */
function overheads(target: string, work: readonly [string, string], rounds: number): void {
  const cpu = ARMS.map((): number[] => []);
  const wall = ARMS.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { flags }] of ARMS.entries()) {
      const timed = flags ? watched(flags, target, work) : run(target, work);
      cpu[i].push(timed.cpuNs);
      wall[i].push(timed.wallNs - timed.waitedNs);
    }
  }
  const plainMs = middle(cpu[0] ?? []).median / 1e6;
  console.log(`a chase and a stream over ${work[0]} MB, ${plainMs.toFixed(0)} ms, medians of ${rounds} [95 %]:`);
  for (const [i, { name, limit, flags }] of ARMS.entries()) {
    if (!flags) continue;
    const ratios = [ratio(cpu[i] ?? [], cpu[0] ?? []), ratio(wall[i] ?? [], wall[0] ?? [])];
    const [busy, whole] = ratios.map((one) => show(one, 4));
    console.log(`  ${name.padEnd(20)} processor ${busy}, wall less waiting ${whole}, wanted ${limit}`);
  }
}

/** Delays asked for against gaps that the program itself saw. */
function injection(target: string, rounds: number, folder: string): void {
  for (const method of ["cgroup", "signals"]) {
    const shares: number[] = [];
    const told: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const file = join(folder, "result.json");
      const flags = [
        "--source",
        "none",
        "--epoch",
        "10",
        "--slow",
        String(SLOW),
        "--stop-by",
        method,
        "--export-json",
        file,
      ];
      const plain = run(target, ["clock", CLOCK_MS]);
      const timed = watched(flags, target, ["clock", CLOCK_MS]);
      const { injection: done } = JSON.parse(readFileSync(file, "utf8")) as WatchResult;
      if (!done) throw new Error("nothing was injected");
      // What neither ran nor waited for a core stood still.
      const still = (one: Timed) => one.wallNs - one.cpuNs - one.waitedNs;
      const own = still(timed) - still(plain);
      shares.push(own / done.requestedNs);
      told.push(done.achievedNs / done.requestedNs);
    }
    console.log(
      `  injected by ${method}: ${show(middle(shares), 4)} of what was asked for arrived, by its own count ${show(middle(told), 4)}`,
    );
  }
}

export async function watch(platform: Platform, rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-watch-"));
  const others = watchOthers();
  try {
    const target = join(folder, "target");
    const source = platform.packagePath("benchmarks/watch/target.c");
    const { status, stderr } = spawnSync("cc", ["-O2", "-o", target, source], { encoding: "utf8" });
    if (status !== 0) throw new Error(`the watched program cannot be compiled: ${stderr}`);
    const count = Math.min(rounds, MOST_ROUNDS);
    for (const work of WORKS) overheads(target, work, count);
    injection(target, Math.max(3, Math.ceil(count / 4)), folder);
    await emulated(count);
    console.log(others());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
