// Other JavaScript runtimes for tests, from npm into .cache/runtimes: Bun and Deno, and Node 24.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fetchNode24 } from "../../scripts/node24.js";
import { need } from "./need.js";
import { root } from "./root.js";

const FOLDER = join(root, ".cache", "runtimes");
const PACKAGES = { bun: "bun@1.4.5", deno: "deno@2.9.6" } as const;
const fetched = (name: keyof typeof PACKAGES) => join(FOLDER, "node_modules", ".bin", name);

/** Environment in which `bench --targets` finds node24, bun and deno; null where npm cannot fetch them. */
export function runtimeEnvironment(): NodeJS.ProcessEnv | null {
  try {
    if (!existsSync(fetched("bun")) || !existsSync(fetched("deno"))) {
      const args = ["install", "--prefix", FOLDER, "--no-save", "--no-audit", "--no-fund", ...Object.values(PACKAGES)];
      const { status, stderr } = spawnSync("npm", args, { encoding: "utf8" });
      if (status !== 0) throw new Error(`npm could not fetch Bun and Deno: ${stderr}`);
    }
    return { ...process.env, NODE24_PATH: fetchNode24(), BUN_PATH: fetched("bun"), DENO_PATH: fetched("deno") };
  } catch (error) {
    need(false, "Bun, Deno or Node 24", (error as Error).message);
    return null;
  }
}
