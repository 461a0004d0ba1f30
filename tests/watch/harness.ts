// Starts `nibblemark exec` in a session of its own and kills it, and looks whether what it watched is unharmed.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";

export const MAIN = join(root, "build", "src", "cli", "main.js");

/** Seeded, so that a failing moment can be tried again. */
export function openRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface KillOutcome {
  /** Of the watched program, whatever happened to the harness. */
  readonly output: string;
  /** false: the harness had ended before it could be killed. */
  readonly killed: boolean;
}

async function waitFor<T>(what: string, limitMs: number, look: () => T | null): Promise<T> {
  for (let waited = 0; waited < limitMs; waited += 10) {
    const found = look();
    if (found !== null) return found;
    await sleep(10);
  }
  throw new Error(`${what} did not come within ${limitMs} ms`);
}

/** Runs a shell line that writes to `file` under injection, and SIGKILLs the harness `afterMs` after the program has begun. */
export async function killedWhileInjecting(
  line: string,
  file: string,
  afterMs: number,
  flags: readonly string[],
): Promise<KillOutcome> {
  const args = ["exec", "--source", "none", "--epoch", "1", ...flags, "--", "sh", "-c", `(${line}) > ${file}`];
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "ignore", "pipe"], detached: true });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  let ended = false;
  const end = new Promise<void>((resolve) => {
    child.on("exit", () => {
      ended = true;
      resolve();
    });
  });
  await waitFor(`the program (${stderr})`, 20_000, () => (existsSync(file) || ended ? true : null));
  await sleep(afterMs);
  const killed = !ended;
  child.kill("SIGKILL");
  await end;
  const output = await waitFor(`output of the program after ${afterMs} ms`, 30_000, () => {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return text.endsWith("\n") ? text : null;
  });
  return { output, killed };
}

/** Paths of our folders below /sys/fs/cgroup. */
export function cgroupFolders(): string[] {
  const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
    .map((mount) => join(mount, own))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder).flatMap((name) => (name.startsWith("nibblemark-") ? join(folder, name) : [])),
    );
}

/** Names of our folders that still exist. */
export const leftCgroups = (): string[] => cgroupFolders().map((path) => basename(path));

/** Processes whose command line holds a text, and their state letters. */
export function statesOf(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return command.includes(text) ? [stat[stat.lastIndexOf(")") + 2] as string] : [];
      } catch {
        return [];
      }
    });
}

/** Nothing of ours is left: no cgroup, no watchdog, no program that stands still. */
export async function assertNothingLeft(text: string): Promise<void> {
  await waitFor("an empty cgroup", 5_000, () => (leftCgroups().length === 0 ? true : null)).catch(() => {});
  assert.equal(leftCgroups(), []);
  assert.equal(
    statesOf(text).filter((state) => state === "T"),
    [],
  );
}
