// Bad input ends with exit code 2 and one line that names the file, the field and the remedy; nothing is half-written.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isBadInput, newFolder, nibblemark } from "./nibblemark.js";
import { writeSmallModel } from "./small-model.js";

const folder = newFolder();
const model = await writeSmallModel(folder.path);
const at = (name: string) => join(folder.path, name);
const bench = (...args: string[]) => nibblemark(["bench", "--host", "default", ...args], folder.path);

test("unknown commands and flags", () => {
  isBadInput(nibblemark(["bnch"]), "bnch", "Did you mean bench?");
  isBadInput(bench("--qant", "int8"), "--qant", "--quant");
  isBadInput(nibblemark(["doctor", "extra"]), "extra");
});

test("a scenario with an unknown key, and one that is not there", () => {
  writeFileSync(at("bad.json"), '{"topologys": ["local"]}');
  isBadInput(bench("--scenario", at("bad.json")), "bad.json", "topologys", "topologies");
  isBadInput(bench("--scenario", at("none.json")), "none.json");
  writeFileSync(at("newer.json"), '{"schemaVersion": 2}');
  isBadInput(bench("--scenario", at("newer.json")), "newer.json", "schemaVersion", "--print-scenario");
});

test("a model that is not there, and ones that are cut, lie, or hold NaN", () => {
  isBadInput(bench(at("nowhere")), "nowhere");
  const cut = at("cut");
  mkdirSync(cut);
  for (const name of ["config.json", "tokenizer.json", "preprocessor_config.json"]) {
    writeFileSync(join(cut, name), readFileSync(join(model, name)));
  }
  writeFileSync(join(cut, "model.safetensors"), readFileSync(join(model, "model.safetensors")).subarray(0, 100_000));
  isBadInput(bench(cut), "model.safetensors");
  const whole = readFileSync(join(model, "model.safetensors"));
  const header = JSON.parse(whole.toString("utf8", 8, 8 + Number(whole.readBigUInt64LE())));
  const name = "language_model.model.norm.weight";
  const at16 = 8 + Number(whole.readBigUInt64LE()) + header[name].data_offsets[0];
  const spoiled = Buffer.from(whole);
  spoiled.writeUInt16LE(0x7e00, at16);
  writeFileSync(join(cut, "model.safetensors"), spoiled);
  isBadInput(nibblemark(["run", cut, "--prompt", "a"]), "model.safetensors", "norm.weight", "NaN");
  const lying = Buffer.from(whole);
  lying.writeBigUInt64LE(2n ** 64n - 1n);
  writeFileSync(join(cut, "model.safetensors"), lying);
  isBadInput(nibblemark(["inspect", cut]), "model.safetensors", "header");
  writeFileSync(join(cut, "model.safetensors"), whole.subarray(0, 100_000));
  isBadInput(nibblemark(["inspect", cut]), "model.safetensors");
});

test("an unknown topology, a bad placement, a pool too small", () => {
  isBadInput(bench(model, "--topology", "moon"), "moon", "cxl-1hop");
  const placed = ["--test", "tg1", "--quant", "int8", "--target", "wasm-simd/1t", "--topology", "cxl-1hop"];
  isBadInput(bench(model, ...placed, "--placement", "weights=cxl9"), "cxl9");
  isBadInput(bench(model, ...placed, "--placement", "weights=split(dram:0.5,cxl0:0.2)"), "weights", "0.7, not to 1");
  const capacityBytes = { value: 100_000, source: "assumed", note: "too small" };
  const far = { kind: "far", name: "cxl0", device: "a1000", path: [], capacityBytes };
  const near = { kind: "local", name: "dram", capacityBytes: { ...capacityBytes, value: 1e12 } };
  const facts = { schemaVersion: 1, name: "tiny", description: "", edges: [] };
  const topology = { ...facts, pools: [near, far], defaultPlacement: ["weights=cxl0"] };
  writeFileSync(at("tiny.json"), JSON.stringify(topology));
  isBadInput(bench(model, "--topology", at("tiny.json")), "topology tiny", "pool cxl0 holds 100000", "Place less");
  const unequal = { ...topology, defaultPlacement: ["weights=split(dram:0.5,cxl0:0.2)"] };
  writeFileSync(at("unequal.json"), JSON.stringify(unequal));
  isBadInput(bench(model, "--topology", at("unequal.json")), "topology tiny: defaultPlacement", "0.7, not to 1");
});

test("a target that nobody has", () => {
  isBadInput(bench(model, "--target", "cuda"), "cuda", "wasm-simd");
});

test("a context that is too long", () => {
  const { stderr, ...ended } = bench(model, "--test", "pp100000");
  isBadInput({ stderr, ...ended }, "--test", "pp100000", "512", "shorter");
  assert.not.match(stderr, "loading", "told before any weight is read");
  const long = "many ".repeat(600);
  isBadInput(nibblemark(["run", model, "--prompt", long]), "context", "512", "Shorten");
});

test("pictures that are none, and a prompt that is missing", () => {
  writeFileSync(at("note.png"), "not a picture");
  isBadInput(nibblemark(["run", model, "--image", at("note.png"), "--prompt", "what?"]), "note.png");
  isBadInput(nibblemark(["run", model, "--image", at("none.png"), "--prompt", "what?"]), "none.png");
  isBadInput(nibblemark(["run", model]), "--prompt");
});

test("outputs that cannot be written are refused before anything is measured", () => {
  writeFileSync(at("file"), "");
  isBadInput(bench(model, "--export-json", at("file/out.json")), "--export-json");
  isBadInput(bench(model, "--export-html", folder.path), "--export-html");
  if (existsSync("/proc")) isBadInput(bench(model, "--export-md", "/proc/none/out.md"), "--export-md", "/proc/none");
  isBadInput(bench(model, "-o", "xml"), "xml", "Known");
});

test("nothing was half-written", () => {
  assert.not.ok(existsSync(at("results")));
  assert.equal(
    readdirSync(folder.path).filter((name) => name.includes("tmp")),
    [],
  );
});

test.after(() => folder.remove());
test.run();
