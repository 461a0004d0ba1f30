// What a newcomer does: clone, `npm start`, look at the table. Runs in a temporary folder with an empty npm prefix; the npm
// registry must be reachable. The time from clone to table is printed, not judged: machines differ.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-clone-"));
const clone = join(folder, "nibblemark");

function npm(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("npm", args, {
    cwd: clone,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  assert.is(status, 0, `npm ${args.join(" ")} ended with ${status}:\n${stderr}\n${stdout}`);
  return stdout;
}

test("npm start alone takes a clone to a table and an HTML report", () => {
  execFileSync("git", ["clone", "--quiet", "--no-hardlinks", root, clone]);
  assert.not.ok(existsSync(join(clone, "node_modules")));
  const started = Date.now();
  const output = npm(["start"]);
  console.log(`clone to table: ${((Date.now() - started) / 1000).toFixed(0)} s`);
  for (const part of ["decode", "wasm-simd", "cxl-1hop", "cxl-switch", "cxl-remote", "llava-1.5-7b", "synthetic"]) {
    assert.ok(output.includes(part), `the table lacks ${part}:\n${output}`);
  }
  assert.ok(readdirSync(join(clone, "results")).some((name) => name.endsWith(".html")));
});

test("a second start builds nothing and answers at once", () => {
  assert.match(npm(["start", "--silent", "--", "--version"]), /\d+\.\d+\.\d+/);
  assert.match(npm(["start", "--silent", "--", "doctor"]), /wasm-simd/);
});

test("npm test alone works on a clone", () => {
  assert.match(npm(["test", "--", "house/tidy"]), /\d+ passed, 0 failed/);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
