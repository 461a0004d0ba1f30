// The program that `npm run speed -- watch` watches (target.c): compiled, run alone, and run under `nibblemark exec`.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Platform } from "../../src/core/ports.js";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** What the program tells of itself. */
export interface Timed {
  readonly wallNs: number;
  readonly cpuNs: number;
  /** In gaps of over 20 us, where it only looks at the clock. */
  readonly gapNs: number;
  /** Ready to run, without a core. */
  readonly waitedNs: number;
}

/** Its path in a folder of the caller's. */
export function compileTarget(platform: Platform, folder: string): string {
  const target = join(folder, "target");
  const source = platform.packagePath("benchmarks/watch/target.c");
  const { status, stderr } = spawnSync("cc", ["-O2", "-o", target, source], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the watched program cannot be compiled: ${stderr}`);
  return target;
}

export function run(file: string, args: readonly string[]): Timed {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: "utf8" });
  const numbers = stdout.trim().split(" ").map(Number);
  if (status !== 0 || numbers.length !== 4)
    throw new Error(`${file} ${args.join(" ")} ended with ${status}: ${stderr}`);
  const [wallNs = 0, cpuNs = 0, gapNs = 0, waitedNs = 0] = numbers;
  return { wallNs, cpuNs, gapNs, waitedNs };
}

export function watched(flags: readonly string[], target: string, args: readonly string[]): Timed {
  return run(process.execPath, [MAIN, "exec", "-o", "none", ...flags, "--", target, ...args]);
}
