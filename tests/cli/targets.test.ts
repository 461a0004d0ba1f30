// `bench --targets` in real runtimes: Node, Node 24, Bun and Deno take turns and stand in one table; missing ones are named; a runtime
// that is killed costs only its own rows.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchResult } from "../../src/core/result.js";
import { ensureDebian } from "../support/debian.js";
import { root } from "../support/root.js";
import { runtimeEnvironment } from "../support/runtimes.js";
import { isBadInput, newFolder, nibblemark } from "./nibblemark.js";

const env = runtimeEnvironment();
const { path: folder, remove } = newFolder();
test.after(remove);
const MAIN = join(root, "build", "src", "cli", "main.js");
const SMALL = ["--quant", "int8", "--test", "tg2", "--rounds", "2", "--no-quality"];
const withModel = (args: readonly string[]) => (args.includes("--model") ? args : [...args, "--model", "shipped"]);
const bench = (args: readonly string[], environment: NodeJS.ProcessEnv) =>
  spawnSync(process.execPath, [MAIN, "bench", ...SMALL, "--host", "default", ...withModel(args)], {
    env: environment,
    encoding: "utf8",
  });

if (env) {
  test("one table over all runtimes, each with a missing one's remedy", () => {
    const json = join(folder, "all.json");
    const there = { ...env, NODE22_PATH: "" };
    const { status, stdout, stderr } = bench(
      ["--targets", "node,node22,node24,bun,deno", "--export-json", json],
      there,
    );
    assert.is(status, 0, stderr);
    for (const name of ["node/wasm-simd/1t", "node24/wasm-relaxed/1t", "bun/wasm-simd/1t", "deno/wasm-relaxed/1t"]) {
      assert.match(stdout, new RegExp(`^${name} .* [0-9.]+ ±`, "m"));
    }
    assert.match(stdout, /^node22\/.*npm install node-\w+-\w+@22.*NODE22_PATH/m);
    assert.match(stdout, /^bun +bun 1\./m);
    const result = JSON.parse(readFileSync(json, "utf8")) as BenchResult;
    assert.equal(
      result.hosts?.map(({ host }) => host),
      ["node", "node24", "bun", "deno"],
    );
    const samples = result.cases.flatMap((entry) => (entry.state === "measured" ? [entry.samplesNs.length] : []));
    assert.ok(samples.length >= 12 && samples.every((count) => count === 2), "every round of every host");
  });

  test("a runtime that dies leaves its reason in the table and the others whole", () => {
    const fake = join(folder, "bun");
    writeFileSync(fake, "#!/bin/sh\nkill -9 $$\n", { mode: 0o755 });
    const { status, stdout } = bench(["--targets", "bun,node"], { ...env, BUN_PATH: fake });
    assert.is(status, 0);
    assert.match(stdout, /^bun\/.*SIGKILL/m);
    assert.match(stdout, /^node\/wasm-simd\/1t /m);
  });
}

if (ensureDebian(["chromium", "firefox-esr"])) {
  test("both kinds of browsers take turns with Node, threads included", () => {
    const { status, stdout, stderr } = bench(["--targets", "node,chromium,firefox"], process.env);
    assert.is(status, 0, stderr);
    for (const host of ["node", "chromium", "firefox"]) {
      assert.match(stdout, new RegExp(`^${host}/wasm-simd/1t .* [0-9.]+ ±`, "m"));
    }
    assert.match(stdout, /^chromium +chromium \d+.*, isolated/m);
    assert.match(stdout, /^firefox +firefox \d+.*, isolated/m);
  });

  test("a page says what it cannot reach, and the others go on", () => {
    const args = ["--targets", "chromium,node", "--model", join(root, "models", "nibblemark-llava-2m")];
    const { status, stdout } = bench(args, process.env);
    assert.is(status, 0);
    assert.match(stdout, /^chromium\/.*shipped model only/m);
    assert.match(stdout, /^node\/wasm-simd\/1t /m);
  });
}

test("names that are no hosts, and programs that are none", () => {
  isBadInput(nibblemark(["bench", ...SMALL, "--targets", "node,opera"]), "--targets", '"opera"', "Known: all, node");
  const { status, stderr } = bench(["--targets", "deno"], { ...process.env, DENO_PATH: join(folder, "none") });
  assert.is(status, 3);
  assert.match(stderr, /DENO_PATH/);
  // Where none is there, each is told.
  const none = { DENO_PATH: join(folder, "none"), BUN_PATH: join(folder, "neither") };
  const both = bench(["--targets", "deno,bun"], { ...process.env, ...none });
  assert.is(both.status, 3);
  assert.match(both.stderr, /DENO_PATH .*BUN_PATH /);
});

test("the worker refuses what is no request, in one event", () => {
  for (const [input, named] of [
    ["nonsense\n", "JSON"],
    ['{"kind": "dance"}\n', "dance"],
    ['{"kind": "bench", "scenario": {}}\n', "schemaVersion"],
  ] as const) {
    const { code, stdout } = nibblemark(["worker"], root, input);
    assert.is(code, 0);
    const event = JSON.parse(stdout);
    assert.is(event.kind, "input-error");
    assert.ok(event.parts.join(" ").includes(named), stdout);
  }
});

test.run();
