// Samples as JSON Lines: one line a round of a case, appended as it comes, so that short quiet slices add up. A line knows
// which builds made it; others are not mixed with it.

import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Timing } from "./child.js";
import { dataFolder, ROOT } from "./folders.js";

export interface Round {
  readonly case: string;
  readonly build: string;
  readonly time: string;
  /** Cores that other processes used meanwhile; null where unknown. */
  readonly load: number | null;
  /** By `participant:arm`. */
  readonly samples: Readonly<Record<string, Timing>>;
}

export interface Opening {
  readonly case: string;
  readonly build: string;
  readonly time: string;
  readonly machine: string;
  /** Relative L2 errors by `participant:arm`. */
  readonly errors: Readonly<Record<string, number>>;
  /** What each participant says of itself, or why it is not there. */
  readonly about: Readonly<Record<string, string>>;
}

export type Line = ({ readonly kind: "round" } & Round) | ({ readonly kind: "opening" } & Opening);

const PATH = join(dataFolder(), "..", "samples.jsonl");

/** Hash of the WebAssembly that contender nibblemark runs. */
export function buildHash(): string {
  const hash = createHash("sha256");
  const files = readdirSync(join(ROOT, "build")).filter((name) => /^kernels\..*\.wasm$/.test(name));
  for (const name of files.sort()) hash.update(readFileSync(join(ROOT, "build", name)));
  return hash.digest("hex").slice(0, 12);
}

export const machineText = (): string => `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores`;

export function append(line: Line): void {
  appendFileSync(PATH, `${JSON.stringify(line)}\n`);
}

/** Forgets all samples. */
export function clear(): void {
  rmSync(PATH, { force: true });
}

/** Lines of one build; a line that a killed run left unfinished is skipped. */
export function readLines(build: string): Line[] {
  if (!existsSync(PATH)) return [];
  return readFileSync(PATH, "utf8")
    .split("\n")
    .flatMap((text) => {
      try {
        return [JSON.parse(text) as Line];
      } catch {
        return [];
      }
    })
    .filter((line) => line.build === build);
}
