// Debian packages that a test needs: installed, or installed now where that is allowed, or the test is skipped.

import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { need } from "./need.js";
import { root } from "./root.js";

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

const SOURCES = "/etc/apt/sources.list.d/debian.sources";

/** apt over Debian's backports in a folder of its own: this machine's own package lists stay as they are. */
function backports(state: string, suite: string): (...args: string[]) => void {
  for (const name of ["lists/partial", "cache/archives/partial", "sources"]) {
    mkdirSync(join(state, name), { recursive: true });
  }
  const [stanza = ""] = readFileSync(SOURCES, "utf8").split(/\n\s*\n/);
  writeFileSync(join(state, "sources", "backports.sources"), `${stanza.replace(/^Suites:.*$/m, `Suites: ${suite}`)}\n`);
  const settings = [
    `Dir::Etc::SourceParts=${state}/sources`,
    "Dir::Etc::SourceList=/dev/null",
    `Dir::State::Lists=${state}/lists`,
    `Dir::Cache=${state}/cache`,
    "Debug::NoLocking=1",
  ];
  const options = settings.map((setting) => `-o${setting}`);
  return (...args) => void execFileSync("apt-get", ["-qq", ...options, ...args], { cwd: state, stdio: "pipe" });
}

/**
 * Packages of this Debian's backports, unpacked into .cache/backports/NAME and not installed, so that nobody need be root. The folder,
 * or null after `skipped: ...`; under CI=true it throws.
 */
export function unpackBackports(name: string, packages: readonly string[]): string | null {
  const folder = join(root, ".cache", "backports", name);
  if (existsSync(folder)) return folder;
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const suite = /^ID=debian$/m.test(release) ? /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] : undefined;
  if (!need(suite !== undefined && existsSync(SOURCES), "Debian with its usual sources", "Run on Debian")) return null;
  mkdirSync(join(root, ".cache", "backports"), { recursive: true });
  const state = mkdtempSync(join(root, ".cache", "backports", "apt-"));
  try {
    const apt = backports(state, `${suite}-backports`);
    apt("update");
    apt("download", ...packages.map((one) => `${one}/${suite}-backports`));
    const unpacked = join(state, "unpacked");
    for (const file of readdirSync(state).filter((one) => one.endsWith(".deb"))) {
      execFileSync("dpkg-deb", ["-x", join(state, file), unpacked]);
    }
    renameSync(unpacked, folder);
    return folder;
  } catch (error) {
    need(false, `${packages[0]} of ${suite}-backports`, `apt-get said: ${(error as Error).message}`);
    return null;
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
