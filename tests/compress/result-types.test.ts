// What types a result has: GGUF keeps the plan of every part and opens by its folder; what is not rounded keeps every bit of f32 and bf16
// checkpoints; numbers too large for f16 end the call by the tensor's name.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { OwnType, SourceTensor } from "../../src/core/write.js";
import { hfFilesOf } from "../../src/formats/hf-files.js";
import { writeHfFolder } from "../../src/formats/hf-write.js";
import { outputFolder } from "../../src/platform/node-output.js";
import { nibblemark } from "../cli/nibblemark.js";
import { platform, rounder, shipped, valuesOf, withSource } from "../formats/writers.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-types-"));
const at = (name: string) => join(folder, name);
const compress = (...args: string[]) => nibblemark(["compress", ...args, "--no-measure", "-q"]);

/** The shipped model's values over three (no f16 holds them), as f32 or cut to bf16; one of them as large as told. */
async function other(name: string, dtype: OwnType, large = 0): Promise<string> {
  const floats = async (tensor: SourceTensor) => {
    const values = (await tensor.floats()).map((value) => value / 3);
    if (large > 0 && tensor.name === "model.layers.5.mlp.up_proj.weight") values[70] = large;
    const bits = new Uint32Array(values.buffer);
    if (dtype === "bf16") for (const [i, one] of bits.entries()) bits[i] = one & 0xffff0000;
    return values;
  };
  await withSource(shipped, async (source, model) => {
    const tensors = source.tensors.map((tensor) => ({ ...tensor, dtype, floats: () => floats(tensor) }));
    const files = await hfFilesOf(platform, model);
    const out = await outputFolder(at(name), { replace: false });
    await writeHfFolder(out, { ...source, tensors }, { form: { kind: "own" }, ...files, provenance: {} }, { rounder });
    await out.commit();
  });
  return at(name);
}

test("GGUF keeps the plan of every part, and its folder opens", () => {
  const parts = ["--quant-embedding", "int8", "--quant-projector", "hqq-int4-g64"];
  const calib = ["--calib", join(shipped, "calib", "calib.jsonl"), "--max-tokens", "32"];
  const quant = ["--quant", "rtn-int4-g64-sym", "--mean-bits", "5", ...parts, ...calib, "--format", "gguf"];
  const { code, stdout, stderr } = compress("shipped", at("gguf"), ...quant);
  assert.is(code, 0, stderr);
  assert.match(stdout, /gguf\/model\.gguf: written/);
  const inspected = nibblemark(["inspect", at("gguf")]);
  const types = (name: RegExp) =>
    new Set(
      inspected.stdout.split("\n").flatMap((line) => (name.test(line) ? (/\b(Q\d_\d|F16)\b/.exec(line) ?? [])[0] : [])),
    );
  assert.equal(types(/embed_tokens/), new Set(["Q8_0"]));
  assert.equal(types(/projector\.linear_\d\.weight/), new Set(["Q4_1"]));
  assert.equal(types(/vision_tower.*(fc\d|_proj)\.weight/), new Set(["F16"]));
  assert.equal(types(/model\.layers.*_proj/), new Set(["Q4_0", "Q8_0"]));
  const { stdout: answer, stderr: told } = nibblemark(["run", at("gguf"), "--prompt", "Call me", "--max-tokens", "2"]);
  assert.ok(answer.trim() !== "", told);
});

test("a GGUF that cannot hold the plan is refused by the flag", () => {
  const row = compress("shipped", at("row"), "--quant-embedding", "int4-row", "--format", "gguf");
  assert.match(
    row.stderr,
    /--quant-embedding: rtn-int4-row: GGUF's 4-bit blocks have no scale of a whole row. Use g32/,
  );
  assert.is(row.code, 2);
});

test("what is not rounded keeps every bit of f32 and bf16", async () => {
  for (const [dtype, named] of [
    ["f32", "float32"],
    ["bf16", "bfloat16"],
  ] as const) {
    const before = await valuesOf(await other(dtype, dtype));
    const { code, stderr } = compress(at(dtype), at(`${dtype}-pruned`), "--prune", "layers:7");
    assert.is(code, 0, stderr);
    const after = await valuesOf(at(`${dtype}-pruned`));
    for (const [name, values] of after) assert.equal(values, before.get(name), `${dtype} ${name}`);
    assert.is(before.size - after.size, 9);
    assert.is(JSON.parse(readFileSync(join(at(`${dtype}-pruned`), "config.json"), "utf8")).torch_dtype, named);
  }
});

test("numbers beyond f16 are refused by the tensor's name", async () => {
  const large = await other("large", "f32", 1e6);
  const refused = (pattern: RegExp, ...args: string[]) => {
    const { code, stderr } = compress(large, at("refused"), "--restart", ...args);
    assert.match(stderr, pattern);
    assert.is(code, 2);
    assert.not(existsSync(at("refused")));
  };
  refused(
    /model\.layers\.5\.mlp\.up_proj\.weight: holds a value that does not fit f16/,
    "--quant-embedding",
    "int8",
    "--format",
    "mlx",
  );
  refused(/model\.layers\.5\.mlp\.up_proj\.weight: .*scale.* does not fit f16/, "--quant", "rtn-int4-g64");
  assert.is(compress(large, at("large-pruned"), "--prune", "layers:3").code, 0);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
