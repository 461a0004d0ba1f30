// Hugging Face folders that we write: the same values read back, int4 as AutoAWQ holds it with the loss that is told,
// shards with an index, and nothing half-written.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type HfPlan, writeHfFolder } from "../../src/formats/hf-write.js";
import { outputFolder } from "../../src/platform/node-output.js";
import { refuses } from "../support/refuses.js";
import { inFolder, platform, rounder, shipped, valuesOf, withSource } from "./writers.js";

const settings = JSON.parse(await platform.readText(join(shipped, "config.json")));
const plan = (form: HfPlan["form"], more: Partial<HfPlan> = {}): HfPlan => {
  return { form, settings, files: [], provenance: { origin: "test" }, ...more };
};

/** Writes the shipped model to `path`. */
const write = (path: string, how: HfPlan, replace = false) =>
  withSource(shipped, async (source) => {
    const folder = await outputFolder(path, { replace });
    try {
      const written = await writeHfFolder(folder, source, how, { rounder });
      await folder.commit();
      return written;
    } finally {
      await folder.discard();
    }
  });

test("f16 and f32 hold the same values", async () => {
  const before = await valuesOf(shipped);
  await inFolder(async (folder) => {
    for (const kind of ["f16", "f32"] as const) {
      const path = join(folder, kind);
      const { loss } = await write(path, plan({ kind }));
      assert.equal(await valuesOf(path), before, kind);
      assert.ok(loss.length > 20 && loss.every(({ maxError, relativeL2 }) => maxError === 0 && relativeL2 === 0));
      assert.is(JSON.parse(readFileSync(join(path, "config.json"), "utf8")).torch_dtype, `float${kind.slice(1)}`);
    }
  });
});

test("int4 goes into the decoder's linears, and its loss is what was told", async () => {
  const before = await valuesOf(shipped);
  await inFolder(async (folder) => {
    const path = join(folder, "awq");
    const { loss } = await write(path, plan({ kind: "awq", group: 64 }));
    const after = await valuesOf(path);
    assert.equal([...after.keys()], [...before.keys()]);
    const row = loss.find(({ name }) => name === "model.layers.N.mlp.up_proj.weight");
    assert.equal([row?.form, row?.tensors], ["AWQ g64", 8]);
    let [most, squares, total] = [0, 0, 0];
    for (const [name, values] of before) {
      const again = after.get(name) as Float32Array;
      if (!/model\.layers\.\d+\.(mlp|self_attn)/.test(name)) assert.equal(again, values, name);
      if (!/model\.layers\.\d+\.mlp\.up_proj/.test(name)) continue;
      values.forEach((value, i) => {
        most = Math.max(most, Math.abs(value - again[i]));
        squares += (value - again[i]) ** 2;
        total += value ** 2;
      });
    }
    assert.is(row?.maxError, most);
    assert.ok(Math.abs((row?.relativeL2 ?? 0) / Math.sqrt(squares / total) - 1) < 1e-9);
    assert.ok(most > 0 && Math.sqrt(squares / total) < 0.15, `${Math.sqrt(squares / total)}`);
    // Codes that are there already are kept: written again, nothing changes.
    const again = join(folder, "again");
    await withSource(path, async (source) => {
      const out = await outputFolder(again, { replace: false });
      const told = await writeHfFolder(out, source, plan({ kind: "awq", group: 64 }), { rounder });
      await out.commit();
      assert.ok(told.loss.every(({ maxError }) => maxError === 0));
    });
    assert.equal(await valuesOf(again), after);
  });
});

test("large models are cut into shards with an index", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "shards");
    const { files } = await write(path, plan({ kind: "f16" }, { shardBytes: 1e6 }));
    const shards = files.filter(({ name }) => name.endsWith(".safetensors"));
    assert.ok(shards.length > 3 && shards.every(({ bytes }) => bytes < 1e6 + 1e4));
    assert.match(shards[0].name, new RegExp(`^model-00001-of-0000${shards.length}.safetensors$`));
    assert.equal(await valuesOf(path), await valuesOf(shipped));
  });
});

test("what comes along and where it is from stand in the folder", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    const bytes = new TextEncoder().encode("{}");
    await write(path, plan({ kind: "awq", group: 128 }, { files: [{ name: "generation_config.json", bytes }] }));
    assert.is(readFileSync(join(path, "generation_config.json"), "utf8"), "{}");
    const whole = readFileSync(join(path, "model.safetensors"));
    const header = JSON.parse(whole.subarray(8, 8 + Number(whole.readBigUInt64LE(0))).toString());
    assert.equal(header.__metadata__, { format: "pt", origin: "test" });
    assert.equal(header["language_model.model.layers.0.mlp.down_proj.qweight"].shape, [256, 16]);
    const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8"));
    assert.is(config.quantization_config.quant_method, "awq");
    assert.equal(config.quantization_config.modules_to_not_convert, [
      "vision_tower",
      "multi_modal_projector",
      "lm_head",
    ]);
  });
});

test("nothing is half-written, nothing is overwritten unasked", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out");
    const broken = (source: Parameters<typeof writeHfFolder>[1]) => ({
      ...source,
      tensors: source.tensors.map((tensor, i) => {
        const floats = async () => Promise.reject(new Error("the cable was pulled"));
        return i === 30 ? { ...tensor, floats } : tensor;
      }),
    });
    await withSource(shipped, async (source) => {
      const out = await outputFolder(path, { replace: false });
      try {
        await writeHfFolder(out, broken(source), plan({ kind: "f16" }), { rounder });
        assert.unreachable();
      } catch (error) {
        assert.match((error as Error).message, /cable/);
      }
      await out.discard();
    });
    assert.equal(readdirSync(folder), []);
    await write(path, plan({ kind: "f16" }));
    await refuses(() => write(path, plan({ kind: "f16" })), /exists already\. Name another place/);
    await write(path, plan({ kind: "f32" }), true);
    assert.equal(readdirSync(folder), ["out"]);
    await refuses(() => write(join(folder, "new"), plan({ kind: "awq", group: 16 })), /group_size|groups/);
    assert.equal(readdirSync(folder), ["out"]);
  });
});

test.run();
