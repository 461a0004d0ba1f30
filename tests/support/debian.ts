// Debian packages that a test needs: installed, or installed now where that is allowed, or the test is skipped.

import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { need } from "./need.js";

const quiet = (command: string, args: readonly string[]) =>
  spawnSync(command, args, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });

/** Wholly there: a package that another test is just unpacking does not count. */
function isInstalled(name: string): boolean {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is dpkg's own
  const { status, stdout } = quiet("dpkg-query", ["-W", "-f=${Status}", name]);
  return status === 0 && stdout === "install ok installed";
}

/** Test files run side by side, apt does not: one waits for the other. */
const apt = (...args: string[]) => quiet("flock", [join(tmpdir(), "nibblemark-apt.lock"), "apt-get", ...args]);

/** Only root may install, and only under CI=true or NIBBLEMARK_INSTALL=1 (`npm test -- --install`). */
function mayInstall(): boolean {
  const asked = process.env.CI === "true" || process.env.NIBBLEMARK_INSTALL === "1";
  return asked && process.getuid?.() === 0;
}

/**
 * True when all packages are there. Otherwise prints `skipped: ...` with what to do and returns false; under CI=true it throws.
 */
export function ensureDebian(packages: readonly string[]): boolean {
  let missing = packages.filter((name) => !isInstalled(name));
  if (missing.length > 0 && mayInstall()) {
    const install = () => apt("install", "-y", "--no-install-recommends", ...missing);
    // Lists of packages may be old or absent in a fresh container.
    if (install().status !== 0) {
      apt("update");
      install();
    }
    missing = packages.filter((name) => !isInstalled(name));
  }
  const remedy = `Run \`apt-get install ${missing.join(" ")}\`, or as root \`npm test -- --install\``;
  return need(missing.length === 0, `Debian's ${missing.join(", ")}`, remedy);
}
