// `nibblemark convert` as a user calls it: there and back between formats, what rounding cost, and refusals that leave
// nothing behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { convert } from "../../src/cli/parts/conversion.js";
import { nodePlatform } from "../../src/platform/node.js";
import { temporaryName } from "../../src/platform/temporary.js";
import { valuesOf } from "../formats/writers.js";
import { isBadInput, MAIN, newFolder, nibblemark } from "./nibblemark.js";
import { writeSmallModel } from "./small-model.js";

const { path: folder, remove } = newFolder();
const model = await writeSmallModel(folder);
test.after(remove);
const at = (name: string) => join(folder, name);
const run = (args: readonly string[]) => nibblemark(["convert", ...args], folder);
const answer = (path: string) => nibblemark(["run", path, "-q", "-p", "Call me", "-n", "6"], folder).stdout;

test("a folder becomes GGUF files and a folder again, value for value", async () => {
  const there = run([model, at("gguf/small.gguf"), "--to", "gguf-f16"]);
  assert.is(there.code, 0, there.stderr);
  assert.match(there.stdout, /mmproj-small.gguf[\s\S]*What rounding cost[\s\S]*Every value is the same as before/);
  assert.equal(readdirSync(at("gguf")), ["mmproj-small.gguf", "small.gguf"]);
  const back = run([at("gguf/small.gguf"), at("back"), "--to", "hf-fp16", "-o", "json"]);
  const told = JSON.parse(back.stdout);
  assert.equal([told.form, told.schemaVersion], ["hf-fp16", 1]);
  assert.ok(told.loss.every(({ maxError }: { maxError: number }) => maxError === 0));
  const [before, after] = [await valuesOf(model), await valuesOf(at("back"))];
  for (const [name, values] of after) assert.equal(values, before.get(name), name);
  assert.is(after.size, before.size - 2); // post_layernorm is never used, mmproj files leave it out
  assert.is(answer(at("back")), answer(model));
  assert.is(answer(at("gguf/small.gguf")), answer(model));
});

test("a lossy form tells what it cost", () => {
  const { code, stdout, stderr } = run([model, at("awq"), "--to", "hf-awq-g128"]);
  assert.is(code, 0, stderr);
  assert.match(stderr, /writing/);
  assert.match(stdout, /model\.layers\.N\.mlp\.up_proj\.weight +AWQ g128 +8 +\d\.\d\de-\d +\d\.\d\de-\d\n/);
  assert.match(stdout, /model\.embed_tokens\.weight +F16 +1 +exact +exact\n/);
  assert.match(nibblemark(["inspect", at("awq")]).stdout, /up_proj.weight +decoder +AWQ g128/);
  assert.is(
    run([at("awq"), at("awq-again"), "--to", "hf-awq-g128", "-q"]).stdout.includes("Every value is the same"),
    true,
  );
});

test("what is in the way stays, unless it is to be replaced", () => {
  mkdirSync(at("taken"));
  writeFileSync(join(at("taken"), "mine.txt"), "mine");
  isBadInput(run([model, at("taken"), "--to", "hf-fp16"]), "exists already", "--force");
  assert.equal(readdirSync(at("taken")), ["mine.txt"]);
  assert.is(run([model, at("taken"), "--to", "hf-fp16", "--force", "-q"]).code, 0);
  assert.ok(readdirSync(at("taken")).includes("model.safetensors"));
  isBadInput(run([model, model, "--to", "hf-fp32", "--force"]), "is where the model is read from");
});

test("what a killed run has left goes with the next one; what a living one writes stays", async () => {
  for (const [place, form] of [
    [at("killed/folder"), "hf-fp32"],
    [at("killed/file.gguf"), "gguf-f32"],
  ] as const) {
    mkdirSync(at("killed"), { recursive: true });
    await killedWhileWriting(["convert", model, place, "--to", form, "-q"], at("killed"));
    assert.match(readdirSync(at("killed")).join(), /^\.(folder|file\.gguf)\.[0-9a-f]{8}\.\d+\.[0-9a-f]{8}\.tmp$/);
    const living = temporaryName(place);
    mkdirSync(living);
    const foreign = at(`killed/.other.${basename(living)}`);
    mkdirSync(foreign);
    assert.is(run([model, place, "--to", form, "-q"]).code, 0);
    const left = readdirSync(at("killed")).filter((name) => name.startsWith("."));
    assert.equal(left.sort(), [basename(living), basename(foreign)].sort());
    rmSync(at("killed"), { recursive: true });
  }
});

/** Ends it by SIGKILL as soon as something stands in `folder`. */
async function killedWhileWriting(args: readonly string[], folder: string): Promise<void> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: "ignore" });
  const ended = once(child, "exit");
  const watcher = watch(folder, () => child.kill("SIGKILL"));
  await ended;
  watcher.close();
}

test("bad input is one line, and nothing is left", () => {
  const before = readdirSync(folder);
  isBadInput(run([model]), "OUT", "is missing");
  isBadInput(run([model, at("x")]), "--to", "gguf-q8_0");
  isBadInput(run([model, at("x"), "--to", "gguf-q8"]), "Did you mean gguf-q8_0?");
  isBadInput(run([model, at("x.gguf"), "--to", "hf-fp16"]), "is a folder, not a .gguf file");
  isBadInput(run([at("absent"), at("x"), "--to", "hf-fp16"]), "absent", "no such file");
  isBadInput(run([model, "/proc/x", "--to", "hf-fp16"]), "/proc/x");
  assert.equal(readdirSync(folder), before);
});

test("a model that is not whole is not written", () => {
  const path = join(at("short"), "config.json");
  assert.is(run([model, at("short"), "--to", "hf-fp16", "-q"]).code, 0);
  const config = JSON.parse(readFileSync(path, "utf8"));
  const longer = { ...config, text_config: { ...config.text_config, num_hidden_layers: 9 } };
  writeFileSync(path, JSON.stringify(longer));
  isBadInput(run([at("short"), at("x"), "--to", "gguf-f16"]), "model.layers.8", "the tensor is missing");
  const wider = { ...config, text_config: { ...config.text_config, intermediate_size: 512 } };
  writeFileSync(path, JSON.stringify(wider));
  isBadInput(run([at("short"), at("x"), "--to", "hf-fp32"]), "has shape [256,128]", "asks for [512, 128]");
});

test("an end in the middle leaves nothing", async () => {
  const before = readdirSync(folder);
  const asked = { input: model, output: at("half"), form: "hf-fp32", force: false, tool: "test" } as const;
  const pulled = (_: string, done: number) => {
    if (done === 40) throw new Error("stop");
  };
  const ended = await convert(nodePlatform(), asked, pulled).then(
    () => "whole",
    () => "half",
  );
  assert.is(ended, "half");
  assert.equal(readdirSync(folder), before);
});

test.run();
