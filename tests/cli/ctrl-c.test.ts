// Ctrl-C stops after the step at hand: what was measured is printed, marked, and written whole.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchResult } from "../../src/core/result.js";
import { interrupted, newFolder } from "./nibblemark.js";
import { writeSmallModel } from "./small-model.js";

const folder = newFolder();
const model = await writeSmallModel(folder.path);

test("results so far are kept", async () => {
  const file = join(folder.path, "out.json");
  const args = [
    "bench",
    model,
    "--host",
    "default",
    "--warmups",
    "0",
    "--quant",
    "int8",
    "--target",
    "wasm-simd/1t",
    "--test",
    "tg8",
    "--rounds",
    "9999",
  ];
  const ended = await interrupted([...args, "--export-json", file, "-o", "csv"], folder.path, "measuring", 2500);
  assert.is(ended.code, 130, ended.stderr);
  const result = JSON.parse(readFileSync(file, "utf8")) as BenchResult;
  assert.ok(result.interrupted);
  const [entry] = result.cases;
  assert.ok(entry?.state === "measured" && entry.samplesNs.length > 0 && entry.samplesNs.length < 9999);
  assert.match(ended.stdout, /^schemaVersion,[\s\S]*,tg8,measured,/);
});

test.after(() => folder.remove());
test.run();
