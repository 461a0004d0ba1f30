// `nibblemark sweep`: bad input before any work; and a sweep whose lines are all there only shows them, with the front, after a torn line.

import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { withPrints } from "../../src/cli/parts/sweep-matrix.js";
import { lineKey } from "../../src/cli/sweep.js";
import type { SweepLine } from "../../src/core/sweep.js";
import { nodePlatform } from "../../src/platform/node.js";
import { shipped } from "../formats/writers.js";
import { MAIN, newFolder, nibblemark } from "./nibblemark.js";

test("bad input", () => {
  const folder = newFolder();
  const out = join(folder.path, "lines.jsonl");
  for (const [args, pattern] of [
    [["shipped"], /RESULTS: is missing/],
    [["shipped", out, "--heal", "prayer"], /--heal: "prayer" is unknown/],
    [["shipped", out, "--quant", "int3"], /--quant: "int3" is no quantization scheme/],
    [["shipped", out, "--prune", "0", "--heal", "replaceme"], /leaves nothing to do/],
    [["shipped", out, "--topology", "nowhere"], /nowhere/],
  ] as const) {
    const { code, stderr } = nibblemark(["sweep", ...args]);
    assert.is(code, 2, stderr);
    assert.match(stderr, pattern);
  }
  folder.remove();
});

/** The shipped model with a calibration set of six texts, so that a cell takes a second or two. */
function smallModel(folder: string): string {
  const model = join(folder, "model");
  cpSync(shipped, model, { recursive: true, filter: (path) => !/calib|eval/.test(path) });
  mkdirSync(join(model, "calib"));
  const texts = readFileSync(join(shipped, "calib", "calib.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith('{"text"'));
  writeFileSync(join(model, "calib", "calib.jsonl"), texts.slice(0, 6).join("\n"));
  return model;
}

const linesOf = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as SweepLine & { readonly failed?: string });

test("every cell is checked before any work", () => {
  const folder = newFolder();
  const out = join(folder.path, "lines.jsonl");
  for (const [args, pattern] of [
    [["--prune", "0,6", "--heal", "none"], /6 blocks, none, f16: .*6 of 8 blocks cannot be removed/],
    [["--prune", "1", "--criterion", "nonsense"], /"nonsense" is unknown/],
    [["--prune", "1", "--criterion", "lora-delta"], /1 blocks, none, f16: .*an adapter/],
    [["--quant", "f16,rtn-int4-g64:4.1"], /4.1 bits a weight are less than/],
    [["--topology", "local", "--placement", "weights=nowhere"], /no topology of this sweep has a pool nowhere/],
    [["--topology", "cxl-1hop", "--placement", "weights=pool9"], /no topology of this sweep has a pool pool9/],
  ] as const) {
    const { code, stderr } = nibblemark(["sweep", "shipped", out, ...args, "-q"]);
    assert.match(stderr, pattern);
    assert.is(code, 2, stderr);
  }
  assert.not(existsSync(out));
  assert.not(existsSync(`${out}.work`));
  folder.remove();
});

test("each scheme gets files that hold it; a cell that fails is a line, the others go on; other data are other cells", () => {
  const folder = newFolder();
  const out = join(folder.path, "lines.jsonl");
  const model = smallModel(folder.path);
  const args = ["sweep", model, out, "--prune", "0", "--heal", "none", "--topology", "local,local", "-q"];
  const quants = "f16,int8,rtn-int4-row,rtn-int4-g64:5";
  const found = nibblemark([...args, "--quant", quants]);
  assert.is(found.code, 0, found.stderr);
  assert.is(found.stdout.match(/Under local/g)?.length, 1);
  const first = linesOf(out);
  assert.is(first.map(({ quant }) => quant).join(), quants);
  const [half, int8, row, mixed] = first;
  assert.ok(row.weightBytes < mixed.weightBytes && mixed.weightBytes < int8.weightBytes);
  assert.ok(int8.weightBytes < half.weightBytes);
  assert.ok(row.tokensPerSecond > mixed.tokensPerSecond && mixed.tokensPerSecond > int8.tokensPerSecond);
  assert.is(int8.criterion, null);
  assert.match(int8.calibrationHash ?? "", /^[0-9a-f]{16}$/);
  assert.not(existsSync(`${out}.work`));

  // Other calibration data under the same name, and no room for the larger file.
  const calib = join(model, "calib", "calib.jsonl");
  writeFileSync(calib, readFileSync(calib, "utf8").split("\n").reverse().join("\n"));
  const { status, stdout } = spawnSync(
    "bash",
    ["-c", `ulimit -f 3000; exec "$@"`, "bash", process.execPath, MAIN, ...args, "--quant", "f16,int8"],
    { encoding: "utf8" },
  );
  assert.is(status, 2);
  assert.match(stdout, /failed: 0 removed, none, f16, placement default: compress ended with 2: .*this large/);
  const second = linesOf(out).slice(4);
  assert.equal(
    second.map(({ quant, failed }) => [quant, failed !== undefined]),
    [
      ["f16", true],
      ["int8", false],
    ],
  );
  assert.is.not(second[1].calibrationHash, int8.calibrationHash);
  assert.is(second[1].modelHash, int8.modelHash);
  // The failed cell is made by the next call, the other one is not made again.
  assert.is(nibblemark([...args, "--quant", "f16,int8"]).code, 0);
  const third = linesOf(out).slice(6);
  assert.equal(
    third.map(({ quant, failed }) => [quant, failed]),
    [["f16", undefined]],
  );
  folder.remove();
});

test("known lines are not measured again, a torn one is passed over, and the front is marked", async () => {
  const folder = newFolder();
  const out = join(folder.path, "lines.jsonl");
  const recipe = { model: shipped, heal: "none", quant: "f16", extra: [], prints: null };
  const recipes = await withPrints(nodePlatform(), [
    { ...recipe, prune: 0, criterion: null },
    { ...recipe, prune: 1, criterion: "block-influence" },
  ]);
  const line = (i: number, weightBytes: number, kl: number): SweepLine => ({
    ...{ schemaVersion: 1, key: lineKey(recipes[i], "local", []), ...recipes[i], topology: "local" },
    ...{ placement: "default", layers: 8 - i, weightBytes, kl, klText: kl, klAnswer: 0, accuracy: null },
    ...{ modelHash: "", calibrationHash: null, tokensPerSecond: 100 - i },
  });
  writeFileSync(`${out}.lock`, `${process.pid}\n`);
  const second = nibblemark(["sweep", shipped, out, "--prune", "0", "--quant", "f16", "--heal", "none"]);
  assert.is(second.code, 2);
  assert.match(second.stderr, /lines.jsonl: is being made by process/);
  rmSync(`${out}.lock`);
  writeFileSync(out, `${JSON.stringify(line(0, 1000, 0.1))}\n${JSON.stringify(line(1, 2000, 0.2))}\n`);
  appendFileSync(out, '{"schemaVersion":1,"key":"to');
  const before = readFileSync(out, "utf8");
  const page = join(folder.path, "page.html");
  const args = ["--prune", "0,1", "--heal", "none", "--quant", "f16", "--topology", "local", "--export-html", page];
  const { code, stdout, stderr } = nibblemark(["sweep", shipped, out, ...args]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /\* +0 +none +f16/);
  assert.not.match(stdout, /\* +1 +none/);
  assert.is(readFileSync(out, "utf8"), `${before}\n`);
  // The page plots both lines, one on the front and one beaten.
  const html = readFileSync(page, "utf8");
  assert.match(html, /size and divergence under local/);
  assert.match(html, /"y":\[0\.1,null\][^\]]*"y":\[null,0\.2\]/);
  folder.remove();
});

test.run();
