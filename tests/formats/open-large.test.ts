// A 13 GB checkpoint opens without being read: well under a second, in tens of MB, whatever its form. The files are sparse:
// their headers are real, their data is a hole.

import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inspectModel } from "../../src/cli/parts/inspection.js";
import type { ByteSource } from "../../src/core/tensor.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { nodePlatform } from "../../src/platform/node.js";

const MOST_MS = 1000;
const MOST_BYTES = 64e6;
const SHARD_BYTES = 5e9;
const [HIDDEN, FFN, VOCAB, GROUP] = [4096, 11008, 32000, 64];
const BYTES = { F16: 2, BF16: 2, U32: 4 } as const;

type Entry = readonly [name: string, dtype: keyof typeof BYTES, shape: readonly number[]];
type Pack = (name: string, rows: number, cols: number) => Entry[];

const f16: Pack = (name, rows, cols) => [[`${name}.weight`, "F16", [rows, cols]]];
const mlx: Pack = (name, rows, cols) => [
  [`${name}.weight`, "U32", [rows, cols / 8]],
  [`${name}.scales`, "BF16", [rows, cols / GROUP]],
  [`${name}.biases`, "BF16", [rows, cols / GROUP]],
];

function entries(layers: number, pack: Pack): Entry[] {
  const layer = (at: string): Entry[] => [
    ...["q", "k", "v", "o"].flatMap((letter) => pack(`${at}self_attn.${letter}_proj`, HIDDEN, HIDDEN)),
    ...["gate", "up"].flatMap((kind) => pack(`${at}mlp.${kind}_proj`, FFN, HIDDEN)),
    ...pack(`${at}mlp.down_proj`, HIDDEN, FFN),
    [`${at}input_layernorm.weight`, "F16", [HIDDEN]],
    [`${at}post_attention_layernorm.weight`, "F16", [HIDDEN]],
  ];
  const ends: Entry[] = [["model.norm.weight", "F16", [HIDDEN]]];
  const tables = ["model.embed_tokens", "lm_head"].flatMap((name) => pack(name, VOCAB, HIDDEN));
  return [...Array.from({ length: layers }, (_, i) => layer(`model.layers.${i}.`)).flat(), ...ends, ...tables];
}

const sizeOf = ([, dtype, shape]: Entry) => shape.reduce((product, size) => product * size, BYTES[dtype]);

/** Writes shards and index; gives the bytes that the files seem to have. */
function writeSparse(folder: string, all: readonly Entry[], config: object): number {
  const shards: Entry[][] = [[]];
  let room = SHARD_BYTES;
  for (const entry of all) {
    if (sizeOf(entry) > room) {
      shards.push([]);
      room = SHARD_BYTES;
    }
    room -= sizeOf(entry);
    shards[shards.length - 1].push(entry);
  }
  const map: Record<string, string> = {};
  shards.forEach((shard, i) => {
    const file = `model-${i + 1}-of-${shards.length}.safetensors`;
    let at = 0;
    const header = shard.map((entry) => {
      const [name, dtype, shape] = entry;
      map[name] = file;
      const from = at;
      at += sizeOf(entry);
      return [name, { dtype, shape, data_offsets: [from, at] }];
    });
    const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const handle = openSync(join(folder, file), "w");
    writeSync(handle, Buffer.concat([length, json]));
    ftruncateSync(handle, 8 + json.length + at);
    closeSync(handle);
  });
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: map }));
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return all.reduce((sum, entry) => sum + sizeOf(entry), 0);
}

const platform = nodePlatform();

/** The platform with every read counted. */
function counting() {
  let bytes = 0;
  const counted = (source: ByteSource): ByteSource => ({
    ...source,
    read(offset, length) {
      bytes += length;
      return source.read(offset, length);
    },
  });
  return {
    read: () => bytes,
    platform: { ...platform, open: async (path: string) => counted(await platform.open(path)) },
  };
}

const SIZES = { hidden_size: HIDDEN, intermediate_size: FFN, vocab_size: VOCAB, num_attention_heads: 32 };

for (const [name, layers, pack, quantization] of [
  ["fp16", 32, f16, null],
  ["MLX 4 bit with bf16 scales", 116, mlx, { bits: 4, group_size: GROUP }],
] as const) {
  test(`${name}: 13 GB are opened and inspected`, async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "nibblemark-")), "large");
    mkdirSync(folder);
    try {
      const config = { model_type: "llama", num_hidden_layers: layers, ...SIZES };
      const bytes = writeSparse(folder, entries(layers, pack), quantization ? { ...config, quantization } : config);
      assert.ok(bytes > 12.9e9, `${bytes} bytes`);
      const { platform: watched, read } = counting();
      const before = process.memoryUsage.rss();
      const start = process.cpuUsage();
      const model = await openModel(watched, folder);
      const { memory } = inspectModel(model, null, 16e9);
      const { user, system } = process.cpuUsage(start);
      const grown = process.memoryUsage.rss() - before;
      assert.ok(memory.some(({ quant, total }) => quant === "stored" && total > 12e9));
      assert.ok((user + system) / 1000 < MOST_MS, `${(user + system) / 1000} ms`);
      assert.ok(grown < MOST_BYTES, `${grown} bytes more in memory`);
      assert.ok(read() < 1e6, `${read()} bytes read`);
      console.log(`${name}: ${((user + system) / 1000).toFixed(0)} ms, ${(grown / 1e6).toFixed(0)} MB`);
      await closeModel(model);
    } finally {
      rmSync(join(folder, ".."), { recursive: true });
    }
  });
}

test.run();
