// The runtimes and browsers that a benchmark can take turns in, in the order of its table, and how each is found.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { UnavailableError } from "../core/errors.js";

export const BENCH_HOSTS = ["node", "node22", "node24", "bun", "deno", "chromium", "firefox"] as const;
export type BenchHost = (typeof BENCH_HOSTS)[number];

interface Program {
  /** Environment variable that names it. */
  readonly variable: string;
  /** Names on PATH. */
  readonly names: readonly string[];
  readonly remedy: string;
}

const npm = (name: string, variable: string) => `Install it (npm install -g ${name}) or set ${variable} to the program`;

/** npm has Node itself as packages of this name, for this system. */
const nodePackage = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

const otherNode = (major: number) =>
  `Install it (npm install ${nodePackage}@${major}) and set NODE${major}_PATH to node_modules/${nodePackage}/bin/node`;

/** Programs that run the package's own files. Browsers are found by chromium.ts and firefox.ts. */
export const RUNTIMES: Readonly<Record<"node22" | "node24" | "bun" | "deno", Program>> = {
  node22: { variable: "NODE22_PATH", names: ["node22", "nodejs22"], remedy: otherNode(22) },
  node24: { variable: "NODE24_PATH", names: ["node24", "nodejs24"], remedy: otherNode(24) },
  bun: { variable: "BUN_PATH", names: ["bun"], remedy: npm("bun", "BUN_PATH") },
  deno: { variable: "DENO_PATH", names: ["deno"], remedy: npm("deno", "DENO_PATH") },
};

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Path of a program: what its variable names, or the first on PATH or in `places`. Throws UnavailableError. */
export function findProgram(
  what: string,
  { variable, names, remedy }: Program,
  env: NodeJS.ProcessEnv = process.env,
  places: readonly string[] = [],
): string {
  const asked = env[variable];
  if (asked && !isProgram(asked)) {
    throw new UnavailableError(what, `${variable} names ${asked}, which is no program`, "Correct it or unset it");
  }
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const found =
    asked ?? [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...places].find(isProgram);
  if (found) return found;
  throw new UnavailableError(what, `no ${names.join(", ")} is installed`, remedy);
}
