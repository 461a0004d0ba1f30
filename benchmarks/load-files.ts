// Files with one matrix in every form that a checkpoint can have, to measure loading with and to test it. All bytes are from
// 0x20 to 0x3b, so that every number that they make is finite and small.

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Platform } from "../src/core/ports.js";
import type { StoredMatrix } from "../src/core/stored.js";
import { readGgufHeader } from "../src/formats/gguf/header.js";
import { sortTensors } from "../src/formats/gguf/tensors.js";
import { TENSOR_TYPES } from "../src/formats/gguf/types.js";
import { openHfFolder } from "../src/formats/hf-folder.js";
import { closeModel } from "../src/formats/index.js";
import { openOnnxWeights } from "../src/formats/onnx.js";
import { uniform } from "../src/model/sample.js";
import { matMulFile } from "../tests/formats/onnx-file.js";
import { ggufBytes, goodFile, type TensorInfo } from "../tests/fuzz/gguf-file.js";

const NAME = "model.layers.0.mlp.up_proj";
const GGUF_TYPES = ["F16", "Q4_0", "Q4_1", "Q5_0", "Q8_0", "Q4_K", "Q6_K"] as const;

type Tensor = readonly [suffix: string, dtype: string, shape: readonly number[], bytesPer: number];

type Folder = readonly [settings: Readonly<Record<string, unknown>> | null, ...Tensor[]];

/** Outputs and inputs of the matrix; inputs are a multiple of 256, outputs of 8 for AWQ and GPTQ. */
export interface Shape {
  readonly rows: number;
  readonly cols: number;
}

/** Settings and tensors of each scheme, groups of 128 (MLX 64, as its converter has it). */
const folders = ({ rows, cols }: Shape): Readonly<Record<string, Folder>> => ({
  "safetensors F16": [null, ["weight", "F16", [rows, cols], 2]],
  "AWQ g128": [
    { quant_method: "awq", bits: 4, group_size: 128, zero_point: true },
    ["qweight", "I32", [cols, rows / 8], 4],
    ["qzeros", "I32", [cols / 128, rows / 8], 4],
    ["scales", "F16", [cols / 128, rows], 2],
  ],
  "GPTQ g128": [
    { quant_method: "gptq", bits: 4, group_size: 128 },
    ["qweight", "I32", [cols / 8, rows], 4],
    ["qzeros", "I32", [cols / 128, rows / 8], 4],
    ["scales", "F16", [cols / 128, rows], 2],
  ],
  "compressed-tensors g128": [
    { quant_method: "compressed-tensors", format: "pack-quantized" },
    ["weight_packed", "I32", [rows, cols / 8], 4],
    ["weight_scale", "F16", [rows, cols / 128], 2],
    ["weight_shape", "I64", [2], 8],
  ],
  "MLX 4 bit g64": [
    { bits: 4, group_size: 64 },
    ["weight", "U32", [rows, cols / 8], 4],
    ["scales", "F16", [rows, cols / 64], 2],
    ["biases", "F16", [rows, cols / 64], 2],
  ],
  "MLX 8 bit g64": [
    { bits: 8, group_size: 64 },
    ["weight", "U32", [rows, cols / 4], 4],
    ["scales", "F16", [rows, cols / 64], 2],
    ["biases", "F16", [rows, cols / 64], 2],
  ],
  "bitsandbytes NF4": [
    { quant_method: "bitsandbytes", load_in_4bit: true },
    ["weight", "U8", [(rows * cols) / 2, 1], 1],
    ["weight.absmax", "F32", [(rows * cols) / 64], 4],
    ["weight.quant_map", "F32", [16], 4],
    ["weight.quant_state.bitsandbytes__nf4", "U8", [64], 1],
  ],
});

/** Bytes of no period that a layout could hide. */
function fill(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const random = uniform(length);
  const period = Math.min(length, 65521);
  for (let i = 0; i < period; i++) bytes[i] = 0x20 + 28 * random();
  for (let done = period; done < length; done *= 2) bytes.copyWithin(done, 0, Math.min(done, length - done));
  return bytes;
}

export interface OpenCase {
  readonly matrix: StoredMatrix;
  /** The file with most of its bytes. */
  readonly path: string;
  readonly close: () => Promise<void>;
}

/** One matrix in a file, and how it is opened. */
export interface LoadCase {
  readonly name: string;
  readonly open: () => Promise<OpenCase>;
}

function writeFolder(folder: string, { rows, cols }: Shape, [settings, ...tensors]: Folder): void {
  mkdirSync(folder);
  const key = settings?.quant_method ? "quantization_config" : "quantization";
  const config = { model_type: "llama", hidden_size: cols, num_attention_heads: 2, vocab_size: 8 };
  writeFileSync(join(folder, "config.json"), JSON.stringify(settings ? { ...config, [key]: settings } : config));
  let at = 0;
  const header = Object.fromEntries(
    tensors.map(([suffix, dtype, shape, per]) => {
      const begin = at;
      at += per * shape.reduce((a, b) => a * b, 1);
      return [`${NAME}.${suffix}`, { dtype, shape, data_offsets: [begin, at] }];
    }),
  );
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = fill(8 + json.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  const state = JSON.stringify({ shape: [rows, cols], blocksize: 64 }).padEnd(64);
  if (settings?.quant_method === "bitsandbytes") bytes.set(new TextEncoder().encode(state), bytes.length - 64);
  writeFileSync(join(folder, "model.safetensors"), bytes);
}

function writeOnnx(folder: string, { rows, cols }: Shape): void {
  mkdirSync(folder);
  const blocks = cols / 32;
  const codes = fill((rows * cols) / 2);
  const scales = fill(rows * blocks * 2);
  const file = matMulFile({ rows, cols, bits: 4, block: 32, tokens: 1 }, `/${NAME.replaceAll(".", "/")}`, [
    { name: "B", type: 2, shape: [rows, blocks, 16], data: codes, external: ["m.onnx_data", 0] },
    { name: "s", type: 10, shape: [rows * blocks], data: scales, external: ["m.onnx_data", codes.length] },
  ]);
  writeFileSync(join(folder, "m.onnx"), file);
  writeFileSync(join(folder, "m.onnx_data"), codes);
  appendFileSync(join(folder, "m.onnx_data"), scales);
}

function writeGgufFile(path: string, { rows, cols }: Shape): void {
  const tensors = GGUF_TYPES.map((name): TensorInfo => {
    const type = TENSOR_TYPES.find((known) => known.name === name);
    return [name, [rows, cols], type?.id ?? 0];
  });
  const { head, data } = goodFile([], tensors);
  writeFileSync(path, ggufBytes({ head, data: fill(data.length) }));
}

const only = (stored: ReadonlyMap<string, StoredMatrix>): StoredMatrix => {
  const [matrix] = stored.values();
  if (!matrix) throw new Error("the file holds no matrix");
  return matrix;
};

/** Writes all files below a folder; those that pack eight outputs a word only where they divide the rows. */
export async function loadCases(platform: Platform, folder: string, shape: Shape): Promise<readonly LoadCase[]> {
  const cases: LoadCase[] = [];
  for (const [name, form] of Object.entries(folders(shape))) {
    if (shape.rows % 8 !== 0 && /AWQ|GPTQ/.test(name)) continue;
    const path = join(folder, name);
    writeFolder(path, shape, form);
    const open = async () => {
      const model = await openHfFolder(platform, path);
      const close = () => closeModel(model);
      return { matrix: only(model.stored ?? new Map()), path: join(path, "model.safetensors"), close };
    };
    cases.push({ name, open });
  }
  const gguf = join(folder, "load.gguf");
  writeGgufFile(gguf, shape);
  for (const type of GGUF_TYPES) {
    const open = async () => {
      const source = await platform.open(gguf);
      const { stored } = sortTensors(await readGgufHeader(source), (name) => name);
      const matrix = stored.get(type);
      if (!matrix) throw new Error(`${gguf} holds no ${type}`);
      return { matrix, path: gguf, close: () => source.close() };
    };
    cases.push({ name: `GGUF ${type}`, open });
  }
  const onnx = join(folder, "onnx");
  writeOnnx(onnx, shape);
  const open = async () => {
    const { stored, close } = await openOnnxWeights(platform, join(onnx, "m.onnx"));
    return { matrix: only(stored), path: join(onnx, "m.onnx_data"), close };
  };
  return [...cases, { name: "ONNX MatMulNBits g32", open }];
}
