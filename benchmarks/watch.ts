// `npm run speed -- watch`: what watching costs the program that is watched, as ratios to the plain run beside it, and how exactly
// injected delays arrive. The program times itself; rounds are interleaved.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Platform } from "../src/core/ports.js";
import { emulated } from "./emulated.js";
import { watchOthers } from "./machine.js";
import { middle, ratio, show } from "./samples.js";
import { injection } from "./watch/injection.js";
import { compileTarget, run, watched } from "./watch/target.js";

/** Rounds of a second or two each. */
const MOST_ROUNDS = 21;
/** In a core's own cache, and far beyond the shared one: megabytes and thousands of steps, about half a second each. */
const WORKS: readonly (readonly [megabytes: string, thousands: string])[] = [
  ["1", "28000"],
  ["64", "3500"],
];

const ARMS: readonly { readonly name: string; readonly limit: string; readonly flags: readonly string[] | null }[] = [
  { name: "plain", limit: "", flags: null },
  { name: "zero delay, 10 ms", limit: "1.01", flags: ["--source", "none", "--epoch", "10"] },
  { name: "perf, 5 ms epochs", limit: "1.02", flags: ["--source", "perf", "--epoch", "5"] },
  { name: "breakpoint, 10 ms", limit: "1.05", flags: ["--source", "breakpoint", "--epoch", "10"] },
];

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

const PARTS: Readonly<Record<string, (target: string, rounds: number, folder: string) => Promise<void>>> = {
  async overheads(target, rounds) {
    for (const work of WORKS) overheads(target, work, rounds);
  },
  async inject(target, rounds, folder) {
    injection(target, Math.max(3, Math.ceil(rounds / 3)), folder);
  },
  async emulated(_, rounds) {
    await emulated(rounds);
  },
};

/** `only`: one of the parts; all where it is not given. */
export async function watch(platform: Platform, rounds: number, only?: string): Promise<void> {
  const names = Object.keys(PARTS);
  if (only !== undefined && !names.includes(only)) throw new Error(`--only ${only}: known are ${names.join(", ")}`);
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-watch-"));
  const others = watchOthers();
  try {
    const target = compileTarget(platform, folder);
    const count = Math.min(rounds, MOST_ROUNDS);
    for (const name of only === undefined ? names : [only]) await PARTS[name]?.(target, count, folder);
    console.log(others());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
