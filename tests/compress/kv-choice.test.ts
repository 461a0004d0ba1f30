// `compress --kv int8`: a stage of the report of its own, kept in the files, and what run, bench and inspect then go by.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { nibblemark } from "../cli/nibblemark.js";
import { shipped } from "../formats/writers.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-kv-"));
const at = (name: string) => join(folder, name);
const few = readFileSync(join(shipped, "calib", "calib.jsonl"), "utf8")
  .split("\n")
  .slice(0, 12);
writeFileSync(at("few.jsonl"), few.join("\n"));
writeFileSync(at("pictures.png"), readFileSync(join(shipped, "calib", "pictures.png")));

const compress = (args: readonly string[]) => {
  const { code, stdout, stderr } = nibblemark(["compress", ...args, "--calib", at("few.jsonl"), "-q", "-o", "json"]);
  assert.is(code, 0, stderr);
  return JSON.parse(stdout);
};
const ask = (...args: string[]) => {
  const { code, stderr } = nibblemark(["run", ...args, "--prompt", "Call me", "--max-tokens", "2"], folder);
  assert.is(code, 0, stderr);
  return stderr;
};
const settings = (name: string) => JSON.parse(readFileSync(join(at(name), "config.json"), "utf8"));
const metadata = (name: string) => {
  const bytes = readFileSync(join(at(name), "model.safetensors"));
  return JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString()).__metadata__;
};

test("its memory and its divergence stand in the report beside those of f32", () => {
  const { kv, plan, stages } = compress(["shipped", at("int8"), "--quant", "rtn-int4-g128", "--kv", "int8"]);
  assert.is(kv, "int8");
  assert.match(plan, /KV int8/);
  assert.equal(
    stages.map(({ stage }: { stage: string }) => stage),
    ["original", "quantized", "int8 KV"],
  );
  const [, plain, own] = stages;
  // Keys and values of 512 positions: 8 layers, 2, 128 wide; a byte and an f16 scale a head of 32 instead of 4 bytes.
  assert.is(plain.contextTokens, 512);
  assert.is(plain.runBytes - own.runBytes, 8 * 2 * 512 * 128 * (4 - 1 - 2 / 32));
  assert.is(plain.weightBytes, own.weightBytes);
  const difference = Math.abs(own.figures.klText.value - plain.figures.klText.value);
  assert.ok(difference > 0 && difference < 0.01, `${plain.figures.klText.value} ${own.figures.klText.value}`);
  assert.ok(own.figures.decode.value > 0);
});

test("it stands in the files; run, bench and inspect go by it unless told otherwise", () => {
  assert.is(settings("int8").nibblemark_kv_cache, "int8");
  assert.is(metadata("int8").kv_cache, "int8");
  assert.match(ask(at("int8")), /int8 KV/);
  assert.not.match(ask(at("int8"), "--kv", "f32"), /int8 KV/);
  const quick = ["--host", "default", "--test", "tg2", "--rounds", "2", "--target", "wasm-simd", "--topology", "local"];
  const bench = (...args: string[]) => {
    const { code, stdout, stderr } = nibblemark(["bench", at("int8"), ...quick, "--no-quality", "-q", ...args], folder);
    assert.is(code, 0, stderr);
    return stdout;
  };
  assert.match(bench(), /int8 KV/);
  assert.not.match(bench("--kv", "f32"), /int8 KV/);
  const kvBytes = (path: string) => {
    const { stdout, stderr } = nibblemark(["inspect", path, "-o", "json"], folder);
    assert.is(stderr, "");
    return JSON.parse(stdout).memory[0].kv;
  };
  assert.ok(kvBytes(at("int8")) < 0.3 * kvBytes("shipped"));
});

test("a result that is compressed again keeps the choice until another is made", () => {
  const again = ["--dequantize", "--quant", "rtn-int4-g64", "--no-measure"];
  assert.is(compress([at("int8"), at("kept"), ...again]).kv, "int8");
  assert.is(settings("kept").nibblemark_kv_cache, "int8");
  assert.is(compress([at("int8"), at("undone"), ...again, "--kv", "f32"]).kv, "f32");
  assert.is(settings("undone").nibblemark_kv_cache, undefined);
  assert.is(metadata("undone").kv_cache, undefined);
});

test("a GGUF file holds it too", () => {
  compress(["shipped", at("file"), "--quant", "rtn-int4-g32-sym", "--kv", "int8", "--format", "gguf", "--no-measure"]);
  assert.match(ask(join(at("file"), "model.gguf")), /int8 KV/);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
