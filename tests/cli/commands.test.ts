// The commands as a user types them, on a small model: what stands on stdout, in files, and the exit code.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tensorShapes } from "../../scripts/model/architecture.js";
import type { BenchResult } from "../../src/core/result.js";
import { newFolder, nibblemark } from "./nibblemark.js";
import { writeSmallModel } from "./small-model.js";

const folder = newFolder();
const model = await writeSmallModel(folder.path);
const quick = [
  "--host",
  "default",
  "--quant",
  "int8",
  "--target",
  "wasm-simd/1t",
  "--test",
  "vision,tg2",
  "--rounds",
  "2",
  "--topology",
];

test("help and version", () => {
  assert.match(nibblemark(["--help"]).stdout, /bench[\s\S]*inspect/);
  for (const name of ["bench", "run", "eval", "doctor", "inspect"]) {
    const { code, stdout } = nibblemark([name, "--help"]);
    assert.is(code, 0);
    assert.match(stdout, /Usage:[\s\S]*Flags:[\s\S]*Examples:/);
  }
  assert.match(nibblemark(["--version"]).stdout, /^\d+\.\d+\.\d+\n$/);
});

test("bench writes JSON to stdout, files beside it, and nothing else", () => {
  const html = join(folder.path, "new", "page.html");
  const args = ["bench", model, ...quick, "local,cxl-1hop", "-o", "json", "--export-html", html, "--quiet"];
  const { code, stdout, stderr } = nibblemark(args, folder.path);
  assert.is(code, 0, stderr);
  assert.is(stderr, "");
  const result = JSON.parse(stdout) as BenchResult;
  assert.equal(
    result.cases.map(({ test, state }) => `${test} ${state}`),
    ["vision measured", "tg2 measured"],
  );
  assert.equal(
    result.quality.map(({ quant }) => quant),
    ["f32", "int8"],
  );
  assert.match(readFileSync(html, "utf8"), /^<!doctype html>[\s\S]*uPlot[\s\S]*<\/html>\n$/);
});

test("bench prints a table without colours into a pipe", () => {
  const { code, stdout } = nibblemark(["bench", model, ...quick, "local", "--no-quality", "-q"], folder.path);
  assert.is(code, 0);
  assert.match(stdout, /Speed here, measured: small/);
  assert.not.ok(stdout.includes("\u001b"));
});

test("a printed scenario runs as it is", () => {
  const { stdout } = nibblemark(["bench", model, ...quick, "local", "--no-quality", "--print-scenario"]);
  assert.equal(JSON.parse(stdout).workloads[0].tests, ["vision", "tg2"]);
  const again = nibblemark(["bench", "--scenario", "-", "--print-scenario"], folder.path, stdout);
  assert.is(again.stdout, stdout);
  const ran = nibblemark(["bench", "--scenario", "-", "-o", "csv", "-q"], folder.path, stdout);
  assert.match(ran.stdout, /,tg2,measured,/);
});

test("eval gives quality without timing", () => {
  const { code, stdout } = nibblemark(["eval", model, "--quant", "int4-g32", "-o", "json", "-q"], folder.path);
  assert.is(code, 0);
  const { quality, cases } = JSON.parse(stdout) as BenchResult;
  assert.equal(cases, []);
  assert.ok((quality[1]?.figures.klText?.value ?? -1) > 0);
});

test("run streams an answer, the same one for the same seed", () => {
  const ask = (...args: string[]) => nibblemark(["run", model, "--prompt", "Call me", "-n", "8", "-q", ...args]).stdout;
  assert.ok(ask().length > 1);
  assert.is(ask("--temperature", "1", "--seed", "3"), ask("--temperature", "1", "--seed", "3"));
  assert.not.equal(ask("--temperature", "2", "--seed", "3"), ask("--temperature", "2", "--seed", "4"));
});

test("run looks at a picture", () => {
  const picture = join(model, "eval", "pictures.png");
  const { code, stderr } = nibblemark(["run", model, "--image", picture, "--prompt", "what is it?", "-n", "2"]);
  assert.is(code, 0, stderr);
  assert.match(stderr, /first token after/);
});

test("inspect lists tensors and memory", () => {
  assert.match(nibblemark(["inspect", model]).stdout, /embed_tokens[\s\S]*Memory to run/);
  const { tensors, parameters } = JSON.parse(nibblemark(["inspect", model, "-o", "json"]).stdout);
  assert.is(tensors.length, tensorShapes().size);
  assert.ok(parameters > 1.9e6 && parameters < 2.1e6);
});

test("doctor lists every target with a reason", () => {
  const { code, stdout } = nibblemark(["doctor", "-o", "json", "-q"]);
  assert.is(code, 0);
  const { targets, host } = JSON.parse(stdout);
  assert.ok(targets.length >= 3);
  assert.ok(targets.every((status: Record<string, string>) => status.available || (status.reason && status.remedy)));
  assert.ok(host.idleNs > 0);
});

test.after(() => folder.remove());
test.run();
