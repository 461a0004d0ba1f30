// A model folder opens whole, in one file or in shards; missing files, lying indexes and tensors that do not fit the
// config are refused with the name of the file and the tensor.

import { mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openReference } from "../../src/backends/reference.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import type { OutputTensor } from "../../src/formats/safetensors-write.js";
import { writeSafetensors } from "../../src/formats/safetensors-write.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { nodePlatform } from "../../src/platform/node.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { refuses } from "../support/refuses.js";
import { temporaryFolder, tinyConfig, tinyTensors, writeTinyLlava } from "./tiny-llava.js";

const platform = nodePlatform();

async function load(folder: string): Promise<void> {
  const model = await openModel(platform, folder);
  const parts = { backend: await openReference(platform), quantizer: plainQuantizer, readFloat32 };
  await loadModel(model, parts, { plan: planOf("f32"), activations: "f32" }).finally(() => closeModel(model));
}

const changed = (name: string, change: (tensor: OutputTensor) => OutputTensor) =>
  tinyTensors().map((tensor) => (tensor.name === name ? change(tensor) : tensor));

test("a folder opens and loads", async () => {
  const folder = await writeTinyLlava();
  const model = await openModel(platform, folder);
  assert.is(model.config.architecture, "llava");
  assert.equal(model.tensors.get("model.layers.1.mlp.down_proj.weight")?.shape, [12, 20]);
  assert.is(model.tokenizer, null);
  await closeModel(model);
  await load(folder);
  await load(join(folder, "model.safetensors"));
});

test("shards open through their index", async () => {
  const folder = temporaryFolder();
  const tensors = tinyTensors();
  const map: Record<string, string> = {};
  for (const [i, part] of [tensors.slice(0, 20), tensors.slice(20)].entries()) {
    const name = `model-0000${i + 1}-of-00002.safetensors`;
    for (const tensor of part) map[tensor.name] = name;
    await writeSafetensors(platform, join(folder, name), part, {});
  }
  const index = join(folder, "model.safetensors.index.json");
  writeFileSync(join(folder, "config.json"), JSON.stringify(tinyConfig));
  writeFileSync(index, JSON.stringify({ weight_map: map }));
  await load(folder);
  writeFileSync(index, JSON.stringify({ weight_map: { ...map, extra: "model-00001-of-00002.safetensors" } }));
  await refuses(() => load(folder), /index\.json: extra: is not in/);
  writeFileSync(index, JSON.stringify({ weight_map: { ...map, extra: "../elsewhere.safetensors" } }));
  await refuses(() => load(folder), /extra: "\.\.\/elsewhere\.safetensors" is no shard's name/);
  writeFileSync(index, JSON.stringify({ weight_map: [] }));
  await refuses(() => load(folder), /weight_map/);
  writeFileSync(index, JSON.stringify({ weight_map: map }));
  rmSync(join(folder, "model-00002-of-00002.safetensors"));
  await refuses(() => load(folder), /model-00002.*no such file/);
});

test("missing parts are named", async () => {
  await refuses(() => load("no/such/model"), /no\/such\/model: no such file/);
  const empty = temporaryFolder();
  await refuses(() => load(empty), /is a folder without config\.json/);
  const folder = await writeTinyLlava();
  renameSync(join(folder, "model.safetensors"), join(folder, "other.bin"));
  await refuses(() => load(folder), /has neither model\.safetensors nor/);
  mkdirSync(join(folder, "model.safetensors"));
  await refuses(() => load(folder), /model\.safetensors: is a folder/);
});

test("a truncated file and a broken config are named", async () => {
  const folder = await writeTinyLlava();
  truncateSync(join(folder, "model.safetensors"), 9000);
  await refuses(() => load(folder), /model\.safetensors: .*: ends at byte/);
  writeFileSync(join(folder, "config.json"), "{");
  await refuses(() => load(folder), /config\.json: is not JSON/);
  writeFileSync(join(folder, "tokenizer.json"), "{}");
});

test("tensors that are missing, of another shape, of integers or not finite are named", async () => {
  const name = "language_model.model.layers.1.mlp.up_proj.weight";
  const missing = tinyTensors().filter((tensor) => tensor.name !== name);
  await refuses(async () => load(await writeTinyLlava({ tensors: missing })), /layers\.1\.mlp\.up_proj.*is missing/);
  const turned = changed(name, (tensor) => ({ ...tensor, shape: [12, 20] }));
  const shape = /up_proj\.weight: has shape \[12,20\], its config asks for \[20, 12\]/;
  await refuses(async () => load(await writeTinyLlava({ tensors: turned })), shape);
  const values = new Float32Array(240).fill(1);
  values[77] = Number.NaN;
  const bad = changed(name, (tensor) => ({ ...tensor, bytes: () => new Uint8Array(values.buffer) }));
  const folder = await writeTinyLlava({ tensors: bad });
  await refuses(() => load(folder), /model\.safetensors: .*up_proj\.weight: value 77 is NaN/);
});

test("a tokenizer that is none, or too large for the model, is named", async () => {
  const folder = await writeTinyLlava();
  writeFileSync(join(folder, "tokenizer.json"), "{}");
  await refuses(() => load(folder), /tokenizer\.json: is no tokenizer/);
  writeFileSync(join(folder, "tokenizer.json"), "[");
  await refuses(() => load(folder), /tokenizer\.json: is not JSON/);
  const shipped = await platform.readText(platform.packagePath("models/nibblemark-llava-2m/tokenizer.json"));
  writeFileSync(join(folder, "tokenizer.json"), shipped);
  await refuses(() => load(folder), /tokenizer\.json: has 1024 tokens, the model's embedding has 40/);
});

test.run();
