// Random blocks of every quantized type of GGUF have, bit for bit, the values that gguf-py gives them
// (fixture: scripts/fixtures/gguf_fixtures.py blocks).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackBlocks } from "../../src/backends/reference/blocks.js";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { isBlockType, type PackedBlocks, type PackedInt4 } from "../../src/core/packed.js";
import { nodePlatform } from "../../src/platform/node.js";
import { root } from "../support/root.js";

type Fixture = Readonly<Record<string, { readonly bytes: string; readonly values: string }>>;
const FIXTURE = JSON.parse(readFileSync(join(root, "tests/fixtures/gguf-blocks.json"), "utf8")) as Fixture;
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const repacker = await openRepacker(nodePlatform());

for (const [name, { bytes, values }] of Object.entries(FIXTURE)) {
  test(`${name} as gguf-py has it`, () => {
    const want = new Float32Array(bytesOf(values).buffer);
    const type = name.toLowerCase();
    const cols = want.length / 2;
    let data: PackedBlocks | PackedInt4;
    if (type === "q4_0" || type === "q4_1") data = repacker.int4(type, bytesOf(bytes), 2, cols);
    else if (isBlockType(type)) data = { kind: "blocks", type, rows: 2, cols, bytes: bytesOf(bytes) };
    else throw new Error(`${name} is not read`);
    assert.equal(data.kind === "int4" ? unpackInt4(data) : unpackBlocks(data), want, "reference");
    assert.equal(repacker.unpack(data), want, "kernel");
  });
}

test("scales that are not finite are refused by tensor and row", () => {
  const bytes = new Uint8Array(34 * 3);
  bytes.set([0, 0x7c], 34);
  const data: PackedBlocks = { kind: "blocks", type: "q8_0", rows: 3, cols: 32, bytes };
  assert.throws(() => repacker.checked(data, "w"), /w: row 1: holds a number that is not finite/);
  const four = new Uint8Array(18 * 9);
  four.set([0, 0xfc], 18 * 8);
  assert.throws(() => repacker.int4("q4_0", four, 9, 32), /row 8/);
});

test.run();
