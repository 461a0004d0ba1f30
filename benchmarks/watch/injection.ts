// How exactly injected delays arrive: what was asked for against what the kernel says of the program (the time in which it neither
// ran nor waited for a core), on a machine that is otherwise idle and beside as many busy loops as it has cores.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { WatchResult } from "../../src/core/watch.js";
import { middle, show } from "../samples.js";
import { run, type Timed, watched } from "./target.js";

/** Milliseconds of the program's own time, and the factor that it is slowed by: sums of half a second and of some milliseconds. */
const CASES = [
  { clockMs: 1500, factor: 1.5 },
  { clockMs: 100, factor: 1.05 },
] as const;
const METHODS = ["cgroup", "signals"] as const;

/** Keeps every core busy; the function it gives ends that. */
function keepBusy(): () => void {
  const loops = cpus().map(() => spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
  return () => {
    for (const loop of loops) loop.kill("SIGKILL");
  };
}

interface Shares {
  /** By our own account, by the kernel's, and in wall time beyond its own: parts of what was asked for. */
  readonly told: number;
  readonly stood: number;
  readonly later: number;
  readonly askedMs: number;
  readonly stops: number;
}

const stoodNs = ({ wallNs, cpuNs, waitedNs }: Timed) => wallNs - cpuNs - waitedNs;

function once(target: string, file: string, method: string, { clockMs, factor }: (typeof CASES)[number]): Shares {
  const work = ["clock", String(clockMs)];
  const flags = ["--source", "none", "--epoch", "10", "--slow", String(factor), "--stop-by", method];
  const plain = run(target, work);
  const slowed = watched([...flags, "--export-json", file], target, work);
  const { injection } = JSON.parse(readFileSync(file, "utf8")) as WatchResult;
  if (!injection) throw new Error("nothing was injected");
  const { requestedNs, achievedNs, stops, atEndNs = 0 } = injection;
  // What it owed when it ended came after it had looked at its clocks.
  const later = slowed.wallNs - slowed.cpuNs - (plain.wallNs - plain.cpuNs) + atEndNs;
  return {
    told: achievedNs / requestedNs,
    stood: (stoodNs(slowed) - stoodNs(plain) + atEndNs) / requestedNs,
    later: later / requestedNs,
    askedMs: requestedNs / 1e6,
    stops,
  };
}

function compare(target: string, file: string, rounds: number, busy: boolean): void {
  for (const one of CASES) {
    for (const method of METHODS) {
      const shares = Array.from({ length: rounds }, () => once(target, file, method, one));
      const of = (key: keyof Shares) => middle(shares.map((share) => share[key]));
      const facts = `${of("askedMs").median.toFixed(1)} ms in ${of("stops").median} stops by ${method}`;
      const later = busy ? "" : `, wall beyond processor time ${show(of("later"), 4)}`;
      console.log(
        `    ${facts.padEnd(36)} stood still ${show(of("stood"), 4)}${later}; by its own account ${show(of("told"), 4)}`,
      );
    }
  }
}

/** Prints what part of the delays asked for arrived, medians of `rounds` with 95 % intervals. */
export function injection(target: string, rounds: number, folder: string): void {
  const file = join(folder, "injected.json");
  console.log(`injected of what was asked for, medians of ${rounds} [95 %], wanted 0.99 to 1.01:`);
  console.log("  nothing else runs");
  compare(target, file, rounds, false);
  const rest = keepBusy();
  console.log("  beside a busy loop on every core");
  try {
    compare(target, file, rounds, true);
  } finally {
    rest();
  }
}
