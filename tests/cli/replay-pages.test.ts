// `nibblemark replay` of a page trace: a row a policy, the epochs as lines, a page of charts, and refusals.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { newFolder, nibblemark } from "./nibblemark.js";

const folder = newFolder();
const file = (name: string, text: string) => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};

const near = { kind: "local", name: "dram", capacityBytes: 8192 };
const far = { kind: "far", name: "cxl0", path: [], device: "a1000" };
const topology = file("t.json", JSON.stringify({ schemaVersion: 1, name: "tiny", pools: [near, far] }));
const epoch = JSON.stringify({
  nativeNs: 1000,
  pages: [
    [0, 1, 0],
    [1, 1, 0],
    [2, 5000, 100],
  ],
});
const trace = file("pages.jsonl", `{"kind":"page-trace","schemaVersion":1,"pageCount":3}\n${`${epoch}\n`.repeat(20)}`);

test("policies side by side: the oracle is faster than first-touch, heat-aware moves two pages", () => {
  const policies = ["first-touch", "oracle", "heat-aware"].flatMap((name) => ["--policy", name]);
  const lines = join(folder.path, "out.jsonl");
  const page = join(folder.path, "out.html");
  const outputs = ["--export-jsonl", lines, "--export-html", page];
  const { code, stdout, stderr } = nibblemark(["replay", trace, "--topology", topology, ...policies, ...outputs]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /pages moved +cost +saved +gain/);
  const [head, ...rest] = readFileSync(lines, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const [first, oracle, heat] = head.policies;
  assert.ok(oracle.totalNs < first.totalNs);
  assert.is(heat.pagesMoved, 2);
  assert.ok(heat.gainNs > 0 && heat.costNs > 4000);
  assert.is(rest.length, 3 * 20);
  assert.ok(existsSync(page));
  assert.not.match(
    readFileSync(page, "utf8").replace(/https?:\/\/github.com\/leeoniya\S*/g, ""),
    /src="http|href="http/,
  );
});

test("unknown policies and policies on other traces are refused", () => {
  const unknown = nibblemark(["replay", trace, "--topology", topology, "--policy", "magic"]);
  assert.is(unknown.code, 2);
  assert.match(unknown.stderr, /magic is unknown/);
  const other = nibblemark(["replay", file("e.jsonl", '{"nativeNs":1}\n'), "--policy", "tpp"]);
  assert.is(other.code, 2);
  assert.match(other.stderr, /page traces/);
});

test("calibrate tells its flags without measuring", () => {
  const { code, stdout } = nibblemark(["calibrate", "--help"]);
  assert.is(code, 0);
  assert.match(stdout, /--out/);
  folder.remove();
});

test.run();
