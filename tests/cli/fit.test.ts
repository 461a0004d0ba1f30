// `nibblemark fit`: plans from a config alone, a floor of quality that only measured plans can miss, and bad input.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { shapeName } from "../../src/core/config.js";
import type { FitReport } from "../../src/core/fit.js";
import { LLAVA_15_LAYERS, llava15 } from "../../src/model/shapes.js";
import { newFolder, nibblemark } from "./nibblemark.js";

const fit = (...args: string[]) => nibblemark(["fit", ...args, "--host", "default"]);

test("the bundled shape: how many blocks must go for 4 GiB", () => {
  const { code, stdout } = fit("llava-1.5-7b", "-o", "json");
  assert.is(code, 0);
  const { plans } = JSON.parse(stdout) as FitReport;
  const removed = Object.fromEntries(plans.map(({ scheme, kv, removed }) => [`${scheme} ${kv}`, removed]));
  assert.is(removed["awq f16"], 9);
  assert.is(removed["mixed f16"], 4);
  assert.is(removed["mixed int8"], 2);
  for (const { tokensPerSecond } of plans) {
    const { local, "cxl-1hop": far } = tokensPerSecond;
    assert.ok(local > far && far > 0, `${local} ${far}`);
  }
});

test("a folder with nothing but a config", () => {
  const folder = newFolder();
  const model = join(folder.path, "model");
  mkdirSync(model);
  const config = {
    model_type: "llama",
    hidden_size: 256,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    vocab_size: 512,
  };
  writeFileSync(join(model, "config.json"), JSON.stringify({ ...config, intermediate_size: 512 }));
  const found = fit(model, "--budget", "257MiB", "--context", "64", "-o", "json");
  assert.is(found.code, 0, found.stderr);
  const { plans, allLayers } = JSON.parse(found.stdout) as FitReport;
  assert.is(allLayers, 4);
  assert.is(plans.find(({ scheme, kv }) => scheme === "f16" && kv === "f16")?.removed, null);
  folder.remove();
});

test("a floor drops measured plans and says what is unknown", () => {
  const folder = newFolder();
  const path = join(folder.path, "report.json");
  const figure = (value: number) => ({ value, unit: "1", source: "measured" });
  const stages = [{ layers: 28, figures: { klText: figure(0.4), klAnswer: figure(0.01) } }];
  const shape = shapeName(llava15(LLAVA_15_LAYERS));
  const write = (other: object) => {
    const decoder = { bits: 4, group: 128, meanBits: null };
    writeFileSync(path, JSON.stringify({ shape, decoder, stages, ...other }));
  };
  // Other bits, groups and sizes say nothing of these plans.
  for (const other of [
    { decoder: { bits: 4, group: 128, meanBits: 7 } },
    { decoder: { bits: 4, group: 32, meanBits: null } },
    { shape: "another" },
  ]) {
    write(other);
    const { stdout } = fit("llava-1.5-7b", "--min-quality", "kld=0.1", "--report", path, "-o", "json");
    assert.equal((JSON.parse(stdout) as FitReport).dropped, []);
  }
  write({});
  const found = fit("llava-1.5-7b", "--min-quality", "kld=0.1", "--report", path, "-o", "json");
  assert.is(found.code, 0, found.stderr);
  const report = JSON.parse(found.stdout) as FitReport;
  assert.equal(
    report.dropped.map(({ scheme, kv }) => `${scheme} ${kv}`),
    ["mixed f16"],
  );
  assert.is(report.dropped[0].quality?.kld, 0.4);
  const kept = fit("llava-1.5-7b", "--min-quality", "kld=0.5", "--report", path, "-o", "json");
  assert.equal((JSON.parse(kept.stdout) as FitReport).dropped, []);
  assert.match(fit("llava-1.5-7b", "--min-quality", "kld=0.1").stdout, /10 plans of unknown quality/);
  writeFileSync(path, "{}");
  assert.match(fit("llava-1.5-7b", "--report", path).stderr, /is no compression report/);
  folder.remove();
});

test("bad input", () => {
  for (const [args, pattern] of [
    [[], /MODEL: is missing/],
    [["nowhere"], /nowhere/],
    [["llava-1.5-7b", "--budget", "many"], /--budget: "many" is no size/],
    [["llava-1.5-7b", "--context", "5000"], /--context: "5000" is above this model's limit of 4096/],
    [["llava-1.5-7b", "--min-quality", "good"], /--min-quality: "good" is no floor/],
    [["llava-1.5-7b", "--min-quality", "top1=99"], /top1=99 is above 1.*share from 0 to 1/],
  ] as const) {
    const { code, stderr } = fit(...args);
    assert.is(code, 2, stderr);
    assert.match(stderr, pattern);
  }
});

test.run();
