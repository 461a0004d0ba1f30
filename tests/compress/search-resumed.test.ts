// A search that is killed midway goes on with the sets that it has tried, and chooses what it would have chosen.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAIN, nibblemark } from "../cli/nibblemark.js";
import { shipped } from "../formats/writers.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-search-"));
const at = (name: string) => join(folder, name);
writeFileSync(at("pictures.png"), readFileSync(join(shipped, "calib", "pictures.png")));
const lines = readFileSync(join(shipped, "calib", "calib.jsonl"), "utf8").split("\n");
writeFileSync(at("few.jsonl"), lines.filter((line, i) => line !== "" && i % 6 === 0).join("\n"));
const args = (out: string) => [
  ...["compress", "shipped", at(out), "--prune", "2", "--search-budget", "12", "--calib", at("few.jsonl")],
  ...["--no-measure", "-q", "-o", "json"],
];

test("killed in the middle of healed-swap", async () => {
  const tried = at(".killed.compress/trials.jsonl");
  const child = spawn(process.execPath, [MAIN, ...args("killed")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const count = () => (existsSync(tried) ? readFileSync(tried, "utf8").split("\n").length - 1 : 0);
  while (!isOver && count() < 6) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill("SIGKILL");
  await ended;
  assert.ok(count() >= 6 && !existsSync(at("killed")), "it was killed too late");
  // As a line that was torn.
  writeFileSync(tried, readFileSync(tried, "utf8").slice(0, -9));
  const results = ["killed", "straight"].map((out) => {
    const { code, stdout, stderr } = nibblemark(args(out));
    assert.is(code, 0, stderr);
    return JSON.parse(stdout);
  });
  assert.equal(results[0].criteria, results[1].criteria);
  assert.equal(results[0].removed, results[1].removed);
  assert.not(existsSync(at(".killed.compress")));
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
