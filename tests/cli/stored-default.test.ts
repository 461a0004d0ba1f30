// A checkpoint that is quantized already is benched, evaluated and run as its file has it, unless formats are asked for; one in
// 16 bits or more is rounded.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Scenario } from "../../src/core/scenario.js";
import { shipped, writeShipped } from "../formats/write-shipped.js";
import { nibblemark } from "./nibblemark.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
test.after(() => rmSync(folder, { recursive: true }));

const quantsOf = (...args: string[]): readonly string[] | undefined => {
  const { stdout } = nibblemark(["bench", ...args, "--print-scenario"]);
  return (JSON.parse(stdout) as Scenario).workloads[0]?.quants;
};

test("bench runs a quantized file as it is", async () => {
  const quantized = await writeShipped(mkdtempSync(join(folder, "a-")), "Q4_0");
  assert.equal(quantsOf(quantized), ["stored"]);
  assert.equal(quantsOf(quantized, "--quant", "int8,stored"), ["int8", "stored"]);
  assert.equal(quantsOf(shipped), ["int8", "int4-g32"]);
  assert.equal(quantsOf("no/such/file"), ["int8", "int4-g32"]);
});

test("eval measures a quantized file as it is", async () => {
  const file = await writeShipped(mkdtempSync(join(folder, "c-")), "Q8_0");
  const args = ["--target", "wasm-simd/1t", "--set", join(shipped, "eval"), "-o", "json", "--quiet"];
  const { stdout, stderr } = nibblemark(["eval", file, ...args]);
  const result = JSON.parse(stdout || `{"error":${JSON.stringify(stderr)}}`) as {
    scenario?: Scenario;
  };
  assert.equal(result.scenario?.workloads[0]?.quants, ["stored"]);
});

test.run();
