// MatMulNBits of ONNX files: the vector of ONNX Runtime's own tests, external data, hostile files, and agreement with
// onnxruntime-node on the same node.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackBlocks } from "../../src/backends/reference/blocks.js";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { InputError } from "../../src/core/errors.js";
import { isOnnx, matrixName, openOnnxWeights } from "../../src/formats/onnx.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";
import { need } from "../support/need.js";
import { refuses } from "../support/refuses.js";
import { root } from "../support/root.js";
import { memorySource } from "./memory-source.js";
import { type Initializer, type MatMul, matMulFile } from "./onnx-file.js";

const repacker = await openRepacker(nodePlatform());
const NODE = "/model/layers.3/attn/q_proj/MatMul_Q4";

const filesOf = (files: Readonly<Record<string, Uint8Array>>) => ({
  open: async (path: string) => {
    const bytes = files[path];
    if (!bytes) throw new InputError(path, "", "no such file", "Check the path");
    return { ...memorySource(bytes), name: path };
  },
});

async function weights(file: Uint8Array, others: Readonly<Record<string, Uint8Array>> = {}) {
  const { stored } = await openOnnxWeights(filesOf({ "m/model.onnx": file, ...others }), "m/model.onnx");
  const matrix = stored.get("model.layers.3.self_attn.q_proj.weight");
  const data = await matrix?.read(repacker);
  if (!matrix || !data || data.kind === "f32" || data.kind === "int8") throw new Error("no packed matrix");
  return { matrix, values: data.kind === "blocks" ? unpackBlocks(data) : unpackInt4(data) };
}

function product(values: Float32Array, x: Float32Array, { rows, cols, tokens }: MatMul): number[] {
  return Array.from({ length: tokens * rows }, (_, i) => {
    const [token, row] = [Math.floor(i / rows), i % rows];
    let sum = 0;
    for (let k = 0; k < cols; k++) sum += x[token * cols + k] * values[row * cols + k];
    return sum;
  });
}

const GOLDEN: MatMul = { rows: 8, cols: 16, bits: 4, block: 16, tokens: 8 };
const golden: Initializer[] = [
  { name: "B", type: 2, shape: [8, 1, 8], data: Uint8Array.from({ length: 64 }, (_, i) => i + 1) },
  { name: "s", type: 1, shape: [8], data: Float32Array.from({ length: 8 }, (_, i) => i) },
];
const x = Float32Array.from({ length: 128 }, (_, i) => i);

test("the vector of ONNX Runtime's tests", async () => {
  const file = matMulFile(GOLDEN, NODE, golden);
  assert.ok(await isOnnx(memorySource(file)));
  const { values, matrix } = await weights(file);
  assert.equal([matrix.format, matrix.rows, matrix.cols, matrix.label], ["int4-g16", 8, 16, "ONNX 4 bit g16"]);
  const y = product(values, x, GOLDEN);
  assert.equal(y.slice(0, 8), [0, -385, -1120, -963, -1984, -1285, -2592, -1351]);
  assert.equal(y.slice(56), [0, -5201, -19936, -12723, -36032, -16405, -48288, -16247]);
});

test("external data, which must be a plain file beside", async () => {
  const data = new Uint8Array(100 + 64);
  data.set(golden[0].data as Uint8Array, 100);
  const beside = (location: string, offset = 100) =>
    matMulFile(GOLDEN, NODE, [{ ...golden[0], external: [location, offset] }, golden[1]]);
  const { values } = await weights(beside("model.onnx_data"), { "m/model.onnx_data": data });
  assert.equal(values, (await weights(matMulFile(GOLDEN, NODE, golden))).values);
  await refuses(() => weights(beside("../secret"), { "m/../secret": data }), /no plain file name/);
  await refuses(() => weights(beside("d", 101), { "m/d": data }), /do not fit/);
});

test("names of nodes become canonical", () => {
  const names = [
    ["/model/layers.0/attn/o_proj/MatMul_Q4", "model.layers.0.self_attn.o_proj.weight"],
    ["/model/layers.0/self_attn/k_proj/MatMul_Q4", "model.layers.0.self_attn.k_proj.weight"],
    ["/model/layers.11/mlp/up_proj/MatMulNBits", "model.layers.11.mlp.up_proj.weight"],
    ["/lm_head/MatMul_Q8", "lm_head.weight"],
  ];
  for (const [node, name] of names) assert.is(matrixName(node), name);
});

test("damaged files are refused or read, and nothing else", async () => {
  const good = matMulFile(GOLDEN, NODE, golden);
  const random = uniform(8);
  for (let round = 0; round < 2000; round++) {
    const hurt = good.slice(0, random() < 0.3 ? Math.floor(random() * good.length) : good.length);
    for (let i = 0; i < 3 * random() && hurt.length > 0; i++) hurt[Math.floor(random() * hurt.length)] = random() * 256;
    await weights(hurt).catch((error: unknown) => {
      if (!(error instanceof InputError) && (error as Error).message !== "no packed matrix") throw error;
    });
  }
});

interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>;
}

interface OnnxRuntime {
  readonly InferenceSession: { create(bytes: Uint8Array): Promise<Session> };
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => unknown;
}

const peer = join(root, ".cache/peers/onnxruntime-node");
const remedy = "Run node scripts/peers.mjs onnxruntime-node";

test("onnxruntime-node computes the same products", async () => {
  if (process.env.CI === "true" && !existsSync(join(peer, "node_modules"))) {
    execFileSync(process.execPath, [join(root, "scripts/peers.mjs"), "onnxruntime-node"], { stdio: "inherit" });
  }
  if (!need(existsSync(join(peer, "node_modules")), "onnxruntime-node", remedy)) return;
  const ort = createRequire(join(peer, "package.json"))("onnxruntime-node") as OnnxRuntime;
  const random = uniform(4);
  for (const [bits, block, zeros] of [
    [4, 32, false],
    [4, 32, true],
    [4, 16, true],
    [4, 128, true],
    [4, 64, false],
  ] as const) {
    const shape: MatMul = { rows: 24, cols: 256, bits, block, tokens: 3 };
    const blocks = shape.cols / block;
    const bytes = (count: number) => Uint8Array.from({ length: count }, () => random() * 256);
    const inputs: Initializer[] = [
      { name: "B", type: 2, shape: [24, blocks, (block * bits) / 8], data: bytes((24 * 256 * bits) / 8) },
      // Half of the runs have scales that f16 holds.
      {
        name: "s",
        type: 1,
        shape: [24 * blocks],
        data: Float32Array.from({ length: 24 * blocks }, () =>
          block > 32 ? Math.round(random() * 64) / 4096 : 0.01 + random() / 64,
        ),
      },
      ...(zeros
        ? [{ name: "z", type: 2, shape: [24 * Math.ceil(blocks / 2)], data: bytes(24 * Math.ceil(blocks / 2)) }]
        : []),
    ];
    if (block === 16) (inputs[1].data as Float32Array).fill(0.015625);
    const file = matMulFile(shape, NODE, inputs);
    const a = Float32Array.from({ length: 3 * 256 }, () => random() * 2 - 1);
    const session = await ort.InferenceSession.create(file);
    const { Y } = await session.run({ A: new ort.Tensor("float32", a, [3, 256]) });
    const ours = product((await weights(file)).values, a, shape);
    const difference = Math.max(...ours.map((value, i) => Math.abs(value - (Y as { data: Float32Array }).data[i])));
    assert.ok(difference < 1e-5, `${bits} bits, blocks of ${block}: ${difference}`);
  }
});

test.run();
