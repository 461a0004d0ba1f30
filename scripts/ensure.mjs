// Brings a clone into a state that runs: installs the npm packages that are missing, builds what is stale.
// Used by `npm start`, `npm test` and the launcher, so that each works alone on a fresh clone.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** npm notes in node_modules what it installed; it must agree with the lock file in every package. */
function installed() {
  const marker = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(marker)) return false;
  const have = JSON.parse(readFileSync(marker, "utf8")).packages;
  const want = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  return Object.entries(want).every(
    ([path, { version, optional }]) => path === "" || optional || have[path]?.version === version,
  );
}

function must(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", process.stderr, process.stderr],
    ...options,
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs and builds; what is already there costs well under a second. Everything printed goes to stderr. */
export function ensure() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(
      `Nibblemark needs Node 20.19 or newer, this is ${process.version}. Install a newer Node and try again.`,
    );
    process.exit(2);
  }
  if (!installed()) {
    console.error("installing the npm packages of package-lock.json ...");
    must(process.platform === "win32" ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  }
  must(process.execPath, [join("scripts", "build.mjs")]);
}
