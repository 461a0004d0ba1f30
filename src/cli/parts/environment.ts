// What machine and program a result comes from. No host name, no user name.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../core/result.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** Version of this package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
}

/** Commit of a clone; null in an installed package or without git. */
function commit(): string | null {
  if (!existsSync(join(root, ".git"))) return null;
  try {
    const args = ["rev-parse", "--short=10", "HEAD"];
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}

/** Vector instructions that decide how fast kernels can be; empty where the system does not tell. */
function cpuFlags(): string[] {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return line.split(/\s+/).filter((flag) => /^(?:sse4|ssse3|avx|fma|f16c|bmi|asimd|sve|i8mm|amx)/.test(flag));
  } catch {
    return [];
  }
}

/** Size of the largest cache that the system tells of; null where it does not. */
export function toldCacheBytes(): number | null {
  const sizes = [0, 1, 2, 3].flatMap((index) => {
    try {
      const text = readFileSync(`/sys/devices/system/cpu/cpu0/cache/index${index}/size`, "utf8").trim();
      return [Number.parseInt(text, 10) * (text.endsWith("M") ? 2 ** 20 : 2 ** 10)];
    } catch {
      return [];
    }
  });
  return sizes.length > 0 ? Math.max(...sizes) : null;
}

/** Bun and Deno give themselves out for Node, and say in `versions` who they are. */
function runtime(): string {
  const { bun, deno, node, v8 } = process.versions;
  if (bun) return `bun ${bun}`;
  return deno ? `deno ${deno} (V8 ${v8})` : `node ${node} (V8 ${v8})`;
}

export function captureEnvironment(): Environment {
  const list = cpus();
  return {
    runtime: runtime(),
    os: `${platform()} ${release()}`,
    cpu: list[0]?.model.trim() ?? "unknown CPU",
    cores: list.length,
    memoryBytes: totalmem(),
    cpuFlags: cpuFlags(),
    load: loadavg(),
    version: packageVersion(),
    commit: commit(),
  };
}
