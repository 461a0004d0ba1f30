// A LLaVA folder that does not say how pixels are normalised is read with CLIP's numbers, and every command that needs them says
// so; newer folders say it in processor_config.json.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { closeModel, openModel } from "../../src/formats/index.js";
import { nodePlatform } from "../../src/platform/node.js";
import { root } from "../support/root.js";
import { newFolder, nibblemark } from "./nibblemark.js";
import { writeSmallModel } from "./small-model.js";

const { path: folder, remove } = newFolder();
const model = await writeSmallModel(folder);
test.after(remove);
const NOTE = /has no preprocessor_config.json: pixels get CLIP's mean and deviation/;
const PICTURE = join(root, "models/nibblemark-llava-2m/samples/digits.png");
const settings = JSON.parse(readFileSync(join(model, "preprocessor_config.json"), "utf8"));

const ask = () => nibblemark(["run", model, "--image", PICTURE, "-p", "what color?", "-n", "2", "-q"]);

async function opened() {
  const found = await openModel(nodePlatform(), model);
  await closeModel(found);
  if (found.config.architecture !== "llava") throw new Error("the model sees");
  return { mean: found.config.vision.mean, notes: found.notes };
}

test("with preprocessor_config.json nothing is noted", async () => {
  assert.equal(await opened(), { mean: [0.5, 0.5, 0.5], notes: undefined });
  const { code, stderr } = ask();
  assert.is(code, 0, stderr);
  assert.not.match(stderr, NOTE);
});

test("without it: CLIP's numbers, and a note", async () => {
  rmSync(join(model, "preprocessor_config.json"));
  assert.equal((await opened()).mean, [0.48145466, 0.4578275, 0.40821073]);
  const { code, stderr } = ask();
  assert.is(code, 0, stderr);
  assert.match(stderr, NOTE);
  assert.not.match(nibblemark(["run", model, "-p", "Call me", "-n", "2", "-q"]).stderr, NOTE);
  assert.match(nibblemark(["inspect", model]).stdout, NOTE);
  assert.match(JSON.parse(nibblemark(["inspect", model, "-o", "json"]).stdout).notes.join(), NOTE);
  assert.match(nibblemark(["convert", model, join(folder, "written"), "--to", "gguf-f16", "-q"]).stderr, NOTE);
});

test("inside processor_config.json", async () => {
  const path = join(model, "processor_config.json");
  writeFileSync(path, JSON.stringify({ processor_class: "LlavaProcessor", image_processor: settings }));
  assert.equal(await opened(), { mean: [0.5, 0.5, 0.5], notes: undefined });
});

test.run();
