// What inspect says of a model: classes of tensors by hand, memory at a context, and whether it fits a budget.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { inspectModel } from "../../src/cli/parts/inspection.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { nodePlatform } from "../../src/platform/node.js";
import { writeTinyLlava } from "../formats/tiny-llava.js";
import { refuses } from "../support/refuses.js";
import { nibblemark } from "./nibblemark.js";

const folder = await writeTinyLlava();
const model = await openModel(nodePlatform(), folder);
test.after(() => closeModel(model));

test("tensors of all layers are one class", () => {
  const { classes } = inspectModel(model, 16, null);
  const up = classes.find(({ name }) => name === "model.layers.N.mlp.up_proj.weight");
  assert.equal([up?.count, up?.shape, up?.parameters, up?.bitsPerWeight], [2, [20, 12], 480, (up?.bytes ?? 0) / 60]);
});

test("memory grows with the context by two f32 rows a layer", () => {
  const kv = (context: number) => inspectModel(model, context, null).memory[0].kv;
  assert.is(kv(16), 2 * 2 * 16 * 6 * 4);
  assert.is(kv(8), kv(16) / 2);
});

test("a budget is met or not", () => {
  const { total } = inspectModel(model, 16, null).memory[0];
  assert.is(inspectModel(model, 16, total).memory[0].fits, true);
  assert.is(inspectModel(model, 16, total - 1).memory[0].fits, false);
  assert.match(
    nibblemark(["inspect", folder, "--budget", "1KiB", "--context", "8"]).stdout,
    /fits 1.00 KiB[\s\S]*f32 .* no\n/,
  );
});

test("bad input is refused", async () => {
  await refuses(() => inspectModel(model, 1e6, null), /context/);
  assert.match(nibblemark(["inspect", folder, "--budget", "much"]).stderr, /--budget: "much" is no size/);
});

test.run();
