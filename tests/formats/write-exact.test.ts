// Codes that a target can hold are kept: GGUF to GGUF and GGUF to AutoAWQ change no value, whatever the order of their
// rows; and a target that cannot hold them says so in numbers.

import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { WrittenType } from "../../src/core/write.js";
import { writeGgufFolder } from "../../src/formats/gguf-folder.js";
import { type Written, writeHfFolder } from "../../src/formats/hf-write.js";
import { orderedRecords, orderedRows } from "../../src/formats/row-order.js";
import { outputFiles, outputFolder } from "../../src/platform/node-output.js";
import { packInt4, toHalf } from "../conformance/quantizer.js";
import { writeShipped } from "./write-shipped.js";
import { inFolder, platform, rounder, shipped, valuesOf, withSource } from "./writers.js";

const settings = JSON.parse(await platform.readText(join(shipped, "config.json")));

const toGguf = (from: string, path: string, type: WrittenType) =>
  withSource(from, async (source) => {
    const out = await outputFiles(path, { replace: false });
    const file = path.slice(path.lastIndexOf("/") + 1);
    const written = await writeGgufFolder(out, source, { type, file, vocabulary: [], provenance: {} }, { rounder });
    await out.commit();
    return written;
  });

const toAwq = (from: string, path: string, group: 32 | 64) =>
  withSource(from, async (source) => {
    const out = await outputFolder(path, { replace: false });
    const plan = { form: { kind: "awq", group }, settings, files: [], provenance: {} } as const;
    const written = await writeHfFolder(out, source, plan, { rounder });
    await out.commit();
    return written;
  });

const lossy = ({ loss }: Written) => loss.filter(({ maxError }) => maxError > 0);
const inLayers = (written: Written) => lossy(written).filter(({ name }) => name.startsWith("model.layers."));

for (const type of ["Q4_0", "Q4_1", "Q8_0", "F32"] as const) {
  test(`${type} to ${type} changes nothing`, async () => {
    await inFolder(async (folder) => {
      const first = await writeShipped(folder, type);
      const again = await toGguf(first, join(folder, "again", "model.gguf"), type);
      assert.equal(lossy(again), []);
      assert.equal(await valuesOf(join(folder, "again", "model.gguf")), await valuesOf(first));
    });
  });
}

test("Q4_0 turns into AutoAWQ g32 and back without loss, its Q and K in Hugging Face's order between", async () => {
  await inFolder(async (folder) => {
    const first = await writeShipped(folder, "Q4_0");
    const there = await toAwq(first, join(folder, "awq"), 32);
    // f16 cannot hold the tower's scale * code; what stays int4 is exact.
    assert.equal(inLayers(there), []);
    assert.ok(lossy(there).every(({ relativeL2 }) => relativeL2 < 2 ** -11));
    const back = await toGguf(join(folder, "awq"), join(folder, "back", "model.gguf"), "Q4_0");
    const [a, b] = [await valuesOf(first), await valuesOf(join(folder, "back", "model.gguf"))];
    assert.ok(b.size > 100);
    for (const [name, values] of b) if (/layers\.\d+\.(mlp|self_attn)/.test(name)) assert.equal(values, a.get(name));
    assert.equal(inLayers(back), []);
    // Q's rows did move.
    const q = "model.layers.0.self_attn.q_proj.weight";
    assert.not.equal((await valuesOf(join(folder, "awq"))).get(q), a.get(q));
    assert.ok(inLayers(await toAwq(first, join(folder, "g64"), 64)).length === 7);
  });
});

test("records move with their rows as values do", () => {
  for (const offset of ["none8", "zeroU4", "bias"] as const) {
    const code = (row: number, column: number) => (row * 7 + column * 3) % 16;
    const packed = packInt4(
      { rows: 16, cols: 64, group: 32, offset },
      code,
      (r) => toHalf(1 + r / 8),
      (r) => r % 16,
    );
    const order = Uint32Array.from({ length: 16 }, (_, row) => (row * 5 + 3) % 16);
    const moved = rounder.unpackInt4(orderedRecords(packed, order));
    assert.equal(moved, orderedRows(rounder.unpackInt4(packed), order), offset);
  }
});

test.run();
