// `npx nibblemark` from a packed tarball: the files that npm would publish, unpacked elsewhere, answer --help and doctor.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-pack-"));

test("the tarball runs without the clone", () => {
  const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const listing = JSON.parse(packed);
  const { filename, size } = Object.values(listing)[0] as { filename: string; size: number };
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", folder]);
  // The dependencies stand where npm would have put them; nothing is downloaded in this test.
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  const cli = join(folder, "package", "scripts", "nibblemark.mjs");
  assert.match(execFileSync(process.execPath, [cli, "--help"], { cwd: folder, encoding: "utf8" }), /nibblemark bench/);
  assert.match(execFileSync(process.execPath, [cli, "doctor"], { cwd: folder, encoding: "utf8" }), /wasm-simd/);
  const site = join(folder, "site");
  assert.match(execFileSync(process.execPath, [cli, "demo", "--export", site], { encoding: "utf8" }), /files in /);
  for (const name of [
    "index.html",
    "sw.js",
    "build/kernels.simd.wasm",
    "models/nibblemark-llava-2m/model.safetensors",
  ]) {
    assert.ok(statSync(join(site, name)).size > 0, name);
  }
  assert.ok(size < 12 * 1024 * 1024, `the tarball has ${size} bytes`);
});

test("npx finds the command in the clone", () => {
  const help = execFileSync("npx", ["--no-install", "nibblemark", "--help"], { cwd: root, encoding: "utf8" });
  assert.match(help, /nibblemark bench/);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
