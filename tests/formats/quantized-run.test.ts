// Folders of quantized models through the whole program: what runs "stored" gives the same logits as the dequantized values in
// f32, on every backend, and holds no more than it must.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { settled } from "../../src/core/stored.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { type OutputTensor, writeSafetensors } from "../../src/formats/safetensors-write.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { openBackends } from "../conformance/backends.js";
import { relativeError } from "../conformance/case.js";
import { toHalf } from "../conformance/quantizer.js";
import { root } from "../support/root.js";

const platform = nodePlatform();
const backends = await openBackends();
const parts = { quantizer: await openQuantizer(platform), repacker: await openRepacker(platform), readFloat32 };
const ids = [1, 9, 17, 33, 40, 12];

const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const entry = (name: string, dtype: OutputTensor["dtype"], shape: number[], values: ArrayBufferView): OutputTensor => {
  return { name, dtype, shape, bytes: () => bytesOf(values) };
};

type Make = (base: string, rows: number, cols: number, random: () => number) => OutputTensor[];

const randomWords = (count: number, random: () => number) =>
  Uint32Array.from({ length: count }, () => random() * 2 ** 32);
const randomScales = (count: number, random: () => number) =>
  Uint16Array.from({ length: count }, () => toHalf(0.02 + 0.03 * random()));

const awq: Make = (base, rows, cols, random) => [
  entry(`${base}.qweight`, "i32", [cols, rows / 8], randomWords((cols * rows) / 8, random)),
  entry(`${base}.qzeros`, "i32", [cols / 16, rows / 8], randomWords((cols * rows) / 128, random)),
  entry(`${base}.scales`, "f16", [cols / 16, rows], randomScales((cols * rows) / 16, random)),
];

const gptq: Make = (base, rows, cols, random) => {
  const index = Int32Array.from({ length: cols }, (_, k) => Math.floor(k / 16)).sort(() => random() - 0.5);
  return [
    entry(`${base}.qweight`, "i32", [cols / 8, rows], randomWords((cols * rows) / 8, random)),
    entry(`${base}.qzeros`, "i32", [cols / 16, rows / 8], randomWords((cols * rows) / 128, random)),
    entry(`${base}.scales`, "f16", [cols / 16, rows], randomScales((cols * rows) / 16, random)),
    entry(`${base}.g_idx`, "i32", [cols], index),
  ];
};

const half: Make = (base, rows, cols, random) => [
  entry(
    `${base}.weight`,
    "f16",
    [rows, cols],
    Uint16Array.from({ length: rows * cols }, () => toHalf(random() - 0.5)),
  ),
];

/** bf16 scales that f16 holds, but for one of each query matrix, which is too small: that is known once they are read. */
const mlx: Make = (base, rows, cols, random) => {
  const group = groupOf(cols);
  const count = (rows * cols) / group;
  const bf16 = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16;
  const numbers = (scale: number) => Uint16Array.from({ length: count }, () => bf16(scale * (1 + random())));
  const scales = numbers(0.02);
  if (base.endsWith("q_proj")) scales[count >> 1] = bf16(1e-6);
  return [
    entry(`${base}.weight`, "u32", [rows, cols / 8], randomWords((rows * cols) / 8, random)),
    entry(`${base}.scales`, "bf16", [rows, cols / group], scales),
    entry(`${base}.biases`, "bf16", [rows, cols / group], numbers(-0.2)),
  ];
};
const groupOf = (cols: number) => (cols % 32 === 0 ? 32 : 16);
const MLX_SETTINGS = {
  ...{ bits: 4, group_size: 32 },
  ...Object.fromEntries([0, 1].map((i) => [`model.layers.${i}.mlp.down_proj`, { bits: 4, group_size: 16 }])),
};

/** The tiny Qwen2 of tests/fixtures with its linear layers in another form, of random codes. */
async function variant(make: Make, settings: object | null): Promise<string> {
  const source = join(root, "tests/fixtures/hf/qwen2");
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-quantized-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(source, folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, quantization_config: settings }));
  const model = await openModel(platform, source);
  const random = uniform(11);
  const tensors: OutputTensor[] = [];
  for (const tensor of model.tensors.values()) {
    const { name, shape } = tensor;
    const values = await readFloat32(tensor);
    if (!name.endsWith("_proj.weight")) tensors.push(entry(name, "f32", [...shape], values));
    else tensors.push(...make(name.slice(0, -".weight".length), shape[0], shape[1], random));
  }
  await closeModel(model);
  await writeSafetensors(platform, join(folder, "model.safetensors"), tensors, {});
  return folder;
}

const VARIANTS: readonly (readonly [string, Make, object | null, number])[] = [
  ["AutoAWQ", awq, { quant_method: "awq", bits: 4, group_size: 16, zero_point: true, version: "gemm" }, 14],
  ["GPTQ with act-order", gptq, { quant_method: "gptq", bits: 4, group_size: 16, desc_act: true }, 14],
  ["f16", half, null, 14],
  ["MLX with bf16 scales", mlx, MLX_SETTINGS, 14],
];

for (const [name, make, settings, count] of VARIANTS) {
  test(`${name} runs stored as its values run in f32`, async () => {
    const folder = await variant(make, settings);
    for (const { name: backendName, open } of backends) {
      const logits: Float32Array[] = [];
      for (const quant of ["f32", "stored"] as const) {
        const model = await openModel(platform, folder);
        assert.is(model.stored?.size, count);
        const options = { plan: planOf(quant, model.stored), activations: "f32", logitRows: ids.length } as const;
        const loaded = await loadModel(model, { backend: await open(), ...parts }, options);
        const weights = loaded.graph.tensors.filter(({ name: weight }) => weight.endsWith("_proj.weight"));
        assert.ok(weights.every(({ format }) => (format === "f32") === (quant === "f32")));
        logits.push(await openSession(loaded).score(ids));
        await loaded.backend.close();
        await closeModel(model);
      }
      const error = relativeError(logits[1], logits[0]);
      assert.ok(error < 1e-5, `${backendName}: ${error}`);
    }
  });
}

test("bf16 scales are not read before their matrix is, and decide its form then", async () => {
  const model = await openModel(platform, await variant(mlx, MLX_SETTINGS));
  const matrices = [...(model.stored?.values() ?? [])];
  assert.ok(matrices.every(({ settle }) => settle));
  assert.ok(matrices.every(({ format }) => format.startsWith("int4")));
  const forms = [...(await settled(model.stored ?? new Map())).values()].map(({ name, format, settle }) => {
    assert.is(settle, undefined);
    return `${name.includes("q_proj") ? "q" : name.includes("down") ? "down" : "other"} ${format}`;
  });
  assert.equal([...new Set(forms)].sort(), ["down int4-g16", "other int4-g32", "q affine4"]);
  await closeModel(model);
});

test.run();
