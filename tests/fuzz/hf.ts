// Fuzzing of the readers of Hugging Face folders and ONNX files: small good files in memory, some fields of which then lie. Whatever comes
// out, reading ends well or in an InputError, in less than a second.

import { InputError } from "../../src/core/errors.js";
import type { Repacker } from "../../src/core/packed.js";
import type { Platform } from "../../src/core/ports.js";
import { openHfFolder } from "../../src/formats/hf-folder.js";
import { openOnnxWeights } from "../../src/formats/onnx.js";
import { blobFiles } from "../../src/platform/sources.js";
import { type Initializer, matMulFile } from "../formats/onnx-file.js";

const ROWS = 16;
const COLS = 32;
const NAME = "model.layers.0.mlp.up_proj";

type Tensor = readonly [suffix: string, dtype: string, shape: readonly number[], bytesPer: number];

/** One matrix [16, 32] in every scheme. */
const SCHEMES: readonly (readonly [settings: Record<string, unknown>, tensors: readonly Tensor[]])[] = [
  [
    { quant_method: "awq", bits: 4, group_size: 16, version: "gemm", zero_point: true },
    [
      ["qweight", "I32", [COLS, 2], 4],
      ["qzeros", "I32", [2, 2], 4],
      ["scales", "F16", [2, ROWS], 2],
    ],
  ],
  [
    { quant_method: "gptq", bits: 4, group_size: 16, desc_act: true },
    [
      ["qweight", "I32", [4, ROWS], 4],
      ["qzeros", "I32", [2, 2], 4],
      ["scales", "F16", [2, ROWS], 2],
      ["g_idx", "I32", [COLS], 4],
    ],
  ],
  [
    { quant_method: "compressed-tensors", format: "pack-quantized" },
    [
      ["weight_packed", "I32", [ROWS, 4], 4],
      ["weight_scale", "BF16", [ROWS, 1], 2],
      ["weight_shape", "I64", [2], 8],
    ],
  ],
  [
    { quant_method: "bitsandbytes", load_in_4bit: true },
    [
      ["weight", "U8", [256, 1], 1],
      ["weight.absmax", "F32", [8], 4],
      ["weight.quant_map", "F32", [16], 4],
      ["weight.quant_state.bitsandbytes__nf4", "U8", [64], 1],
    ],
  ],
  [
    { bits: 8, group_size: 32 },
    [
      ["weight", "U32", [ROWS, 8], 4],
      ["scales", "F32", [ROWS, 1], 4],
      ["biases", "F32", [ROWS, 1], 4],
    ],
  ],
];

const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)];
const LIES: readonly unknown[] = [0, 1, -1, 15, 16, 17, 2 ** 31, 2 ** 53, 1e300, null, "", "x", [], {}, [1, 2], true];

/** A JSON value with one or two of its leaves changed. */
function lie(value: unknown, random: () => number): unknown {
  if (random() < 0.15 || value === null || typeof value !== "object") return pick(LIES, random);
  const entries = Object.entries(value);
  const at = Math.floor(random() * entries.length);
  const hurt = entries.flatMap(([key, inner], i) => {
    if (i !== at) return [[key, inner]];
    return random() < 0.15 ? [] : [[random() < 0.05 ? `${key}x` : key, lie(inner, random)]];
  });
  return Array.isArray(value) ? hurt.map(([, inner]) => inner) : Object.fromEntries(hurt);
}

/** config.json and model.safetensors, one behind the other: a 4-byte length, the config, the weights. */
export function damagedFolder(random: () => number): Uint8Array {
  const [settings, tensors] = pick(SCHEMES, random);
  const key = settings.quant_method ? "quantization_config" : "quantization";
  let at = 0;
  const header = Object.fromEntries(
    tensors.map(([suffix, dtype, shape, per]) => {
      const begin = at;
      at += per * shape.reduce((a, b) => a * b, 1);
      return [`${NAME}.${suffix}`, { dtype, shape, data_offsets: [begin, at] }];
    }),
  );
  const config = { model_type: "llama", hidden_size: COLS, num_attention_heads: 2, vocab_size: 8, [key]: settings };
  const hurt = random();
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const left = encode(hurt < 0.4 ? lie(config, random) : config);
  const right = encode(hurt > 0.35 && hurt < 0.8 ? lie(header, random) : header);
  const data = Uint8Array.from({ length: at }, () => (random() < 0.9 ? random() * 60 : random() * 256));
  const state = new TextEncoder().encode('{"shape":[16,32],"blocksize":64}'.padEnd(64));
  if (settings.quant_method === "bitsandbytes") data.set(state, at - 64);
  const whole = new Uint8Array(4 + left.length + 8 + right.length + data.length);
  const view = new DataView(whole.buffer);
  view.setUint32(0, left.length, true);
  whole.set(left, 4);
  view.setBigUint64(4 + left.length, BigInt(random() < 0.05 ? Math.floor(random() * 2 ** 50) : right.length), true);
  whole.set(right, 12 + left.length);
  whole.set(data, 12 + left.length + right.length);
  if (random() < 0.3) whole[4 + Math.floor(random() * (whole.length - 4))] = random() * 256;
  return random() < 0.05 ? whole.slice(0, Math.max(4, Math.floor(random() * whole.length))) : whole;
}

export async function readFolder(bytes: Uint8Array, repacker: Repacker): Promise<string> {
  const length = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true), bytes.length - 4);
  const files = new Map([
    ["m/config.json", new Blob([bytes.slice(4, 4 + length)])],
    ["m/model.safetensors", new Blob([bytes.slice(4 + length)])],
  ]);
  const platform = { ...blobFiles(files) } as unknown as Platform;
  return timed(async () => {
    const model = await openHfFolder(platform, "m");
    for (const matrix of model.stored?.values() ?? []) {
      await matrix.read(repacker);
      await matrix.order();
    }
  }, bytes);
}

export function damagedOnnx(random: () => number): Uint8Array {
  const bits = random() < 0.7 ? 4 : 8;
  const data = (count: number) => Uint8Array.from({ length: count }, () => random() * 256);
  const inputs: Initializer[] = [
    { name: "B", type: 2, shape: [ROWS, 1, (32 * bits) / 8], data: data((ROWS * 32 * bits) / 8) },
    { name: "s", type: 10, shape: [ROWS], data: data(ROWS * 2).map((byte) => byte & 0x3b) },
    { name: "z", type: 2, shape: [ROWS], data: data(ROWS) },
  ];
  const good = matMulFile({ rows: ROWS, cols: COLS, bits, block: 32, tokens: 1 }, "/lm_head/MatMul_Q4", inputs);
  for (let lies = Math.floor(random() * 3); lies > 0; lies--) {
    const at = Math.floor(random() * good.length);
    good[at] = random() < 0.5 ? good[at] + Math.floor(random() * 5) - 2 : random() * 256;
  }
  return random() < 0.1 ? good.slice(0, Math.floor(random() * good.length)) : good;
}

export async function readOnnx(bytes: Uint8Array, repacker: Repacker): Promise<string> {
  const { open } = blobFiles(new Map([["m.onnx", new Blob([Uint8Array.from(bytes)])]]));
  return timed(async () => {
    const { stored } = await openOnnxWeights({ open }, "m.onnx");
    for (const matrix of stored.values()) await matrix.read(repacker);
  }, bytes);
}

/** "read" or the refusal; throws for anything else, and for what takes over a second. */
async function timed(action: () => Promise<void>, bytes: Uint8Array): Promise<string> {
  const started = performance.now();
  const outcome = await action().then(
    () => "read",
    (error: unknown) => {
      if (error instanceof InputError) return error.message.replace(/-?\d+(?:\.\d+)?(?:e\+\d+)?/g, "#");
      throw error;
    },
  );
  const took = performance.now() - started;
  if (took > 1000) throw new Error(`${took.toFixed(0)} ms for ${bytes.length} bytes`);
  return outcome;
}
