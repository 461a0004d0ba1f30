// The same model over a path, Blobs and HTTP ranges, and how little of a large checkpoint opening reads.

import {
  createReadStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { nodePlatform } from "../../src/platform/node.js";
import { blobFiles, blobSource, httpFiles, httpSource } from "../../src/platform/sources.js";
import { refuses } from "../support/refuses.js";
import { root } from "../support/root.js";

const platform = nodePlatform();
const folder = join(root, "tests/fixtures/hf/qwen2");

/** Serves a folder; ranges only under /ranges/. Counts the bytes it sent. */
async function serve(): Promise<{ url: string; sent: () => number; close: () => void }> {
  let sent = 0;
  const server = createServer((request, response) => {
    const [, mode, name = ""] = (request.url ?? "").split("/");
    const path = join(folder, name);
    if (!readdirSync(folder).includes(name)) return response.writeHead(404).end();
    const { size } = statSync(path);
    const range = mode === "ranges" ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") : null;
    if (!range)
      return response
        .writeHead(200, { "content-length": size })
        .end(request.method === "HEAD" ? "" : readFileSync(path));
    const [start, end] = [Number(range[1]), Number(range[2])];
    sent += end - start + 1;
    response.writeHead(206, { "content-range": `bytes ${start}-${end}/${size}`, "content-length": end - start + 1 });
    createReadStream(path, { start, end }).pipe(response);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, sent: () => sent, close: () => void server.close().closeAllConnections() };
}

test("Blobs and HTTP ranges give what the path gives", async () => {
  const server = await serve();
  const blobs = new Map(readdirSync(folder).map((name) => [`m/${name}`, new Blob([readFileSync(join(folder, name))])]));
  const ways = [
    [platform, folder],
    [{ ...platform, ...blobFiles(blobs) }, "m"],
    [{ ...platform, ...httpFiles() }, `${server.url}/ranges`],
  ] as const;
  const values: Float32Array[] = [];
  for (const [files, path] of ways) {
    const model = await openModel(files, path);
    const tensor = model.tensors.get("model.layers.1.mlp.down_proj.weight");
    if (!tensor) throw new Error("no tensor");
    values.push(await readFloat32(tensor));
    await closeModel(model);
  }
  assert.equal(values[1], values[0]);
  assert.equal(values[2], values[0]);
  assert.ok(server.sent() < statSync(join(folder, "model.safetensors")).size / 2, `${server.sent()} bytes were sent`);
  server.close();
});

test("bad servers and ranges are refused", async () => {
  const server = await serve();
  await refuses(() => httpSource(`${server.url}/whole/model.safetensors`), /does not answer byte ranges/);
  await refuses(() => httpSource(`${server.url}/ranges/absent`), /answered 404/);
  await refuses(() => blobSource(new Blob(["abc"]), "b").read(2, 2), /bytes 2 to 4/);
  server.close();
  await refuses(() => httpSource(`${server.url}/ranges/config.json`), /cannot be reached/);
});

/** Shards of zeros in the shape of LLaMA-2-7B: sparse files that take no disk. */
function writeLargeCheckpoint(into: string): number {
  const linears = [
    ["self_attn.q_proj", 4096, 4096],
    ["self_attn.k_proj", 4096, 4096],
    ["self_attn.v_proj", 4096, 4096],
    ["self_attn.o_proj", 4096, 4096],
    ["mlp.gate_proj", 11008, 4096],
    ["mlp.up_proj", 11008, 4096],
    ["mlp.down_proj", 4096, 11008],
    ["input_layernorm", 4096],
    ["post_attention_layernorm", 4096],
  ] as const;
  const shapes = [
    ["model.embed_tokens.weight", 32000, 4096],
    ...Array.from({ length: 32 }, (_, layer) =>
      linears.map(([name, ...shape]) => [`model.layers.${layer}.${name}.weight`, ...shape] as const),
    ).flat(),
    ["model.norm.weight", 4096],
    ["lm_head.weight", 32000, 4096],
  ] as readonly (readonly [string, ...number[]])[];
  const weightMap: Record<string, string> = {};
  let total = 0;
  for (let shard = 0; shard < 3; shard++) {
    const file = `model-0000${shard + 1}-of-00003.safetensors`;
    const header: Record<string, unknown> = {};
    let at = 0;
    for (const [name, ...shape] of shapes.filter((_, i) => i % 3 === shard)) {
      const bytes = 2 * shape.reduce((product, n) => product * n, 1);
      header[name] = { dtype: "F16", shape, data_offsets: [at, at + bytes] };
      weightMap[name] = file;
      at += bytes;
    }
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    writeFileSync(join(into, file), Buffer.concat([length, json]));
    truncateSync(join(into, file), 8 + json.length + at);
    total += at;
  }
  writeFileSync(join(into, "model.safetensors.index.json"), JSON.stringify({ weight_map: weightMap }));
  const config = {
    model_type: "llama",
    hidden_size: 4096,
    intermediate_size: 11008,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    vocab_size: 32000,
  };
  writeFileSync(join(into, "config.json"), JSON.stringify(config));
  return total;
}

test("13 GB in shards open in under a second and tens of MB", async () => {
  const large = mkdtempSync(join(tmpdir(), "nibblemark-large-"));
  try {
    assert.ok(writeLargeCheckpoint(large) > 13e9);
    const before = process.memoryUsage();
    const started = performance.now();
    const model = await openModel(platform, large);
    const seconds = (performance.now() - started) / 1000;
    const after = process.memoryUsage();
    assert.is(model.tensors.size, 291);
    await closeModel(model);
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    console.log(
      `opened ${(model.fileBytes / 1e9).toFixed(1)} GB in ${(seconds * 1000).toFixed(0)} ms and ${(grown / 1e6).toFixed(1)} MB`,
    );
    assert.ok(seconds < 1 && grown < 50e6, `${seconds} s, ${grown} bytes`);
  } finally {
    rmSync(large, { recursive: true, force: true });
  }
});

test.run();
