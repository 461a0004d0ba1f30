// CAMP as a user tries it: a file of microbenchmarks is fitted, its leave-one-out error printed, the fit stored and replayed with.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { random } from "../epoch/fixture.js";
import { root } from "../support/root.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-camp-"));
const at = (name: string) => join(folder, name);
const command = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "build", "src", "cli", "main.js"), ...args], { encoding: "utf8" });

/** Counters whose slowdown is mostly stalls beyond the L3 at 300 cycles, 3 points of noise on it. */
function benchmark(i: number): string {
  const next = random(i + 1);
  const stallsL3Miss = 6e7 * next();
  const boundOnStores = 2e7 * next();
  const counters = {
    ...{ cycles: 1e8, stallsMemAny: 7e7, boundOnStores, stallsL1d: 7e7, stallsL2: 6.5e7, stallsL3Miss },
    ...{ l1Misses: 1e6, fillBufferHits: 1e6 * next(), prefetches: 1e6, prefetchL3Hits: 5e5 },
    ...{ demandReads: 1e5, demandReadCycles: 3e7 },
  };
  const slowdown = 1.2 * (stallsL3Miss / 1e8) + 0.6 * (boundOnStores / 1e8) + 0.03 * (next() - 0.5);
  return JSON.stringify({ name: `bench${i}`, localNs: 1e9, farNs: 1e9 * (1 + slowdown), counters });
}
const lines = Array.from({ length: 20 }, (_, i) => benchmark(i));
writeFileSync(at("bench.jsonl"), `${lines.join("\n")}\n`);
const [first] = lines;
const epoch = { nativeNs: 1e6, perPool: [{ demandLines: 1000 }], counters: JSON.parse(first).counters };
writeFileSync(at("trace.jsonl"), `${JSON.stringify(epoch)}\n`);

test("calibrate --camp prints every benchmark's error and stores a fit that replay takes", () => {
  const { status, stdout, stderr } = command("calibrate", "--camp", at("bench.jsonl"), "--out", at("camp.json"));
  assert.is(status, 0, stderr);
  assert.match(stdout, /CAMP fitted to 20 microbenchmarks/);
  const [, mean, worst] = /mean error ([\d.]+) percentage points, worst ([\d.]+) \(bench\d+\)/.exec(stdout) ?? [];
  assert.ok(Number(mean) > 0 && Number(mean) < 2 && Number(worst) < 4, `${mean} and ${worst} points`);
  assert.is(stdout.match(/^bench\d+ .* %/gm)?.length, 20);
  const replayed = (file: string) =>
    command("replay", at("trace.jsonl"), "--delay", "camp", "--camp", file, "-o", "jsonl");
  const [stored, fresh] = [replayed(at("camp.json")), replayed(at("bench.jsonl"))];
  assert.is(stored.status, 0, stored.stderr);
  assert.is(stored.stdout, fresh.stdout, "the stored fit is the fit");
  const [head, row] = stored.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.is(head.camp.benchmarks, 20);
  const { localNs, farNs } = JSON.parse(first);
  assert.ok(Math.abs(row.predictedNs / row.nativeNs - farNs / localNs) < 0.03, "the benchmark's own slowdown, all far");
});

test("too few, broken, absent or changed files are named", () => {
  writeFileSync(at("few.jsonl"), lines.slice(0, 15).join("\n"));
  const few = command("calibrate", "--camp", at("few.jsonl"));
  assert.is(few.status, 2);
  assert.match(few.stderr, /holds 15 microbenchmarks, fewer than 16/);
  writeFileSync(at("nan.jsonl"), lines.join("\n").replace('"cycles":100000000', '"cycles":-1'));
  assert.match(command("calibrate", "--camp", at("nan.jsonl")).stderr, /line 1: counters\.cycles must be 0 or more/);
  assert.is(command("calibrate", "--camp", at("absent.jsonl")).status, 2);
  writeFileSync(at("bad.json"), readFileSync(at("camp.json"), "utf8").replace(/"bend": [^,]+/, '"bend": -2'));
  const bad = command("replay", at("trace.jsonl"), "--delay", "camp", "--camp", at("bad.json"));
  assert.is(bad.status, 2);
  assert.match(bad.stderr, /coefficients\.bend: must be above 0/);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
