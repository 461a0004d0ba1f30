// A program whose lines are known by region (regions.c), estimated by breakpoints: the interval of each region beside the truth.

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { cachedRegions, openPresence } from "../../src/cli/parts/watched-memory.js";
import type { RegionLines, Span } from "../../src/core/counters.js";
import type { NativeAddon } from "../../src/core/native.js";
import { openBreakpoint } from "../../src/counters/breakpoint.js";
import { nodePlatform } from "../../src/platform/node.js";
import { root } from "../support/root.js";

const LLC_BYTES = 16 * 2 ** 20;
const EPOCH_MS = 5;

/** Compiles the program into a folder; null without a compiler. */
export function compileRegions(folder: string): string | null {
  const target = join(folder, "regions");
  const { status } = spawnSync("cc", ["-O2", "-o", target, join(root, "tests", "watch", "regions.c")]);
  return status === 0 ? target : null;
}

export interface KnownRegion {
  readonly name: string;
  /** Lines a ns of the program's processor time: estimated, and what it read. */
  readonly span: Span;
  readonly written: Span;
  readonly truth: number;
}

const total = ({ streamLines, strideLines, irregularLines }: RegionLines): Span => [
  streamLines[0] + strideLines[0] + irregularLines[0],
  streamLines[1] + strideLines[1] + irregularLines[1],
];

/** Runs the program, watches it until so many words have been looked at, and gives the last estimate of its regions A, B and C. */
export async function estimateKnown(addon: NativeAddon, target: string, looks: number): Promise<KnownRegion[]> {
  const { clock } = nodePlatform();
  const child = spawn(target, [], { stdio: ["ignore", "pipe", "ignore"] });
  const lines: string[] = [];
  const ended = new Promise((resolve) => child.on("close", resolve));
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      if (line === "ready") resolve();
    });
  });
  const regions = { regionsOf: cachedRegions(clock), presenceOf: openPresence };
  const source = openBreakpoint({ addon, clock, llcBytes: LLC_BYTES, ...regions });
  const session = await source.open(child.pid as number, false);
  let looked = 0;
  let rates: readonly { region: RegionLines; byNs: number }[] = [];
  while (looked < looks) {
    await sleep(EPOCH_MS);
    for (const epoch of session.read()) {
      const ns = epoch.threads.reduce((sum, { onCpuNs }) => sum + onCpuNs, 0);
      looked = epoch.counters.probes ?? 0;
      if (ns > 0 && epoch.regions.length > 0) rates = epoch.regions.map((region) => ({ region, byNs: 1 / ns }));
    }
  }
  session.close();
  child.kill("SIGTERM");
  await ended;
  const counts = (lines.at(-1) ?? "").split(" ").map(Number);
  return ["A", "B", "C"].map((name, i) => {
    const [, start = 0, bytes = 0] = (lines.find((line) => line.startsWith(`${name} `)) ?? "").split(" ").map(Number);
    const inside = rates.filter(
      ({ region }) => region.startAddress < start + bytes && region.startAddress + region.sizeBytes > start,
    );
    const sum = (span: (region: RegionLines) => Span, end: 0 | 1) =>
      inside.reduce((all, { region, byNs }) => all + span(region)[end] * byNs, 0);
    const spanOf = (span: (region: RegionLines) => Span): Span => [sum(span, 0), sum(span, 1)];
    return {
      name,
      span: spanOf(total),
      written: spanOf(({ writtenLines }) => writtenLines),
      truth: (counts[i] ?? 0) / (counts[3] ?? 1),
    };
  });
}
