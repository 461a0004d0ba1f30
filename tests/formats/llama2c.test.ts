// llama2.c files: a small one made here opens, truncated and lying ones are refused, and its tokenizer splits and joins.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { openLlama2cTokenizer } from "../../src/formats/tokenizer-llama2c.js";
import { nodePlatform } from "../../src/platform/node.js";
import { refuses } from "../support/refuses.js";
import { memorySource } from "./memory-source.js";
import { temporaryFolder } from "./tiny-llava.js";

/** dim, ffn, layers, heads, kvHeads, vocab, context; then values 0, 1, 2 ... */
function checkpoint(header: readonly number[], floats: number): Uint8Array {
  const bytes = new Uint8Array(28 + floats * 4);
  new Int32Array(bytes.buffer, 0, 7).set(header);
  new Float32Array(bytes.buffer, 28).forEach((_, i, all) => {
    all[i] = i;
  });
  return bytes;
}

/** 4 wide, 2 layers, 2 heads on 1 key head, 5 tokens, context 6, own classifier. */
const HEADER = [4, 3, 2, 2, 1, -5, 6];
const FLOATS = 5 * 4 + 2 * (4 + 16 + 8 + 8 + 16 + 4 + 12 + 12 + 12) + 4 + 6 * 2 + 5 * 4;

function write(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), "small.bin");
  writeFileSync(path, bytes);
  return path;
}

test("tensors lie stacked over layers, the classifier after the rotary tables", async () => {
  const model = await openModel(nodePlatform(), write(checkpoint(HEADER, FLOATS)));
  assert.equal([model.config.decoder.tiedEmbeddings, model.config.decoder.headDim], [false, 2]);
  assert.is(model.tokenizer, null);
  const first = async (name: string): Promise<number> => {
    const tensor = model.tensors.get(name);
    return tensor ? (await readFloat32(tensor))[0] : -1;
  };
  assert.is(await first("model.layers.1.input_layernorm.weight"), 20 + 4);
  assert.is(await first("model.layers.1.self_attn.q_proj.weight"), 20 + 8 + 16);
  assert.is(await first("lm_head.weight"), FLOATS - 20);
  await closeModel(model);
});

test("files that are too short or too long for their header are refused", async () => {
  const whole = checkpoint(HEADER, FLOATS);
  for (const size of [28, 100, whole.length - 1]) {
    await refuses(
      () => openModel(nodePlatform(), write(whole.slice(0, size))),
      /header: has \d+ bytes, its header asks/,
    );
  }
  await refuses(() => openModel(nodePlatform(), write(checkpoint(HEADER, FLOATS + 1))), /header: has/);
});

test("headers of impossible sizes are no llama2.c file", async () => {
  for (const [at, value] of [
    [0, 0],
    [0, 5],
    [2, -1],
    [3, 2 ** 30],
    [4, 3],
    [6, 0],
  ]) {
    const header = HEADER.map((size, i) => (i === at ? value : size));
    await refuses(() => openModel(nodePlatform(), write(checkpoint(header, FLOATS))), /is in no known format/);
  }
});

/** 259 tokens of specials and bytes, then pieces with scores. */
function vocabulary(pieces: readonly (readonly [string, number])[]): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, i) => [`<0x${i.toString(16)}>`, 0] as const);
  const all = [["<unk>", 0], ["\n<s>\n", 0], ["\n</s>\n", 0], ...bytes, ...pieces] as const;
  const parts = all.map(([text, score]) => {
    const utf8 = new TextEncoder().encode(text);
    const part = new Uint8Array(8 + utf8.length);
    new DataView(part.buffer).setFloat32(0, score, true);
    new DataView(part.buffer).setInt32(4, utf8.length, true);
    part.set(utf8, 8);
    return part;
  });
  return Uint8Array.from([0, 0, 0, 0, ...parts.flatMap((part) => [...part])]);
}

test("the best-scored merge comes first, and unknown characters become bytes", async () => {
  const pieces = [
    ["a", -9],
    ["b", -9],
    [" ", -9],
    ["ab", -2],
    ["bb", -1],
    [" a", -3],
  ] as const;
  const file = vocabulary(pieces);
  const tokenizer = await openLlama2cTokenizer(memorySource(file), 265);
  assert.equal(tokenizer.encode("abb"), [264, 263]);
  assert.equal(tokenizer.encode("ab"), [261, 262]);
  assert.equal(tokenizer.encode(""), []);
  assert.equal(tokenizer.encode("é"), [261, 3 + 0xc3, 3 + 0xa9]);
  assert.is(tokenizer.decode(tokenizer.encode("a é😀 abb")), "a é😀 abb");
  assert.is(tokenizer.decode([1, 264, 263, 2]), "abb");
  await refuses(() => openLlama2cTokenizer(memorySource(file), 266), /ends after 265 of 266/);
  await refuses(() => openLlama2cTokenizer(memorySource(file), 264), /has 10 bytes after its 264 tokens/);
  await refuses(() => openLlama2cTokenizer(memorySource(file.fill(255, 8, 12)), 265), /token 0 says it has -1 bytes/);
});

test.run();
