// Runs the built command as a user does, in a folder of its own.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";

export const MAIN = join(root, "build", "src", "cli", "main.js");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A new empty folder; `remove` it in the end. */
export function newFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "nibblemark-cli-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function nibblemark(args: readonly string[], cwd: string = root, input = ""): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd, input, encoding: "utf8" });
  return { code: status, stdout, stderr };
}

/** Starts it, waits for a text on stderr, sends a signal, and waits for the end. */
export function interrupted(args: readonly string[], cwd: string, mark: string, afterMs: number): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd });
  let [stdout, stderr, sent] = ["", "", false];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (sent || !stderr.includes(mark)) return;
    sent = true;
    setTimeout(() => child.kill("SIGINT"), afterMs);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A line of a stack trace of JavaScript; a GPU's driver, which writes on stderr what it likes, has none of those. */
const STACK_LINE = /\n\s+at .*(\.[cm]?[jt]s|node:[\w/]+|<anonymous>)(:\d+)?/;

/** One line that names the fault; exit code 2; no stack trace, nothing on stdout. */
export function isBadInput({ code, stdout, stderr }: Ended, ...named: readonly (string | RegExp)[]): void {
  assert.is(code, 2, stderr);
  assert.is(stdout, "");
  assert.not.match(stderr, STACK_LINE);
  const line = stderr.trimEnd().split("\n").at(-1) ?? "";
  for (const name of named)
    assert.ok(typeof name === "string" ? line.includes(name) : name.test(line), `${name} in: ${line}`);
}
