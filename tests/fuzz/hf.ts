// Fuzzing of the readers of Hugging Face folders: one small matrix in each quantized scheme, and a plain folder in two shards,
// whose config, header, index or bytes then lie.

import { openHfFolder } from "../../src/formats/hf-folder.js";
import { join, packFiles, platformOf } from "./files.js";
import { type Fuzzer, readWhole } from "./fuzzer.js";
import { hurtBytes, hurtEnd, hurtJson, pick, type Random } from "./lies.js";

const ROWS = 16;
const COLS = 32;
const NAME = "model.layers.0.mlp.up_proj";

type Tensor = readonly [name: string, dtype: string, shape: readonly number[], bytesPer: number];

interface Scheme {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tensors: readonly Tensor[];
}

const wide = (settings: Readonly<Record<string, unknown>>, ...tensors: Tensor[]): Scheme => ({ settings, tensors });

/** One matrix [16, 32] in each form of each scheme. */
const SCHEMES: Readonly<Record<string, readonly Scheme[]>> = {
  awq: [
    wide(
      { quant_method: "awq", bits: 4, group_size: 16, version: "gemm", zero_point: true },
      ["qweight", "I32", [COLS, 2], 4],
      ["qzeros", "I32", [2, 2], 4],
      ["scales", "F16", [2, ROWS], 2],
    ),
    wide(
      { quant_method: "awq", w_bit: 4, q_group_size: 32, zero_point: true },
      ["qweight", "I32", [COLS, 2], 4],
      ["qzeros", "I32", [1, 2], 4],
      ["scales", "BF16", [1, ROWS], 2],
    ),
  ],
  gptq: [
    wide(
      { quant_method: "gptq", bits: 4, group_size: 16, desc_act: true },
      ["qweight", "I32", [4, ROWS], 4],
      ["qzeros", "I32", [2, 2], 4],
      ["scales", "F16", [2, ROWS], 2],
      ["g_idx", "I32", [COLS], 4],
    ),
    wide(
      { quant_method: "gptq", bits: 4, group_size: -1, checkpoint_format: "gptq_v2" },
      ["qweight", "I32", [4, ROWS], 4],
      ["qzeros", "I32", [1, 2], 4],
      ["scales", "F32", [1, ROWS], 4],
    ),
  ],
  "compressed-tensors": [
    wide(
      { quant_method: "compressed-tensors", format: "pack-quantized", config_groups: { group_0: { weights: {} } } },
      ["weight_packed", "I32", [ROWS, 4], 4],
      ["weight_scale", "BF16", [ROWS, 1], 2],
      ["weight_shape", "I64", [2], 8],
    ),
    wide(
      { quant_method: "compressed-tensors", format: "pack-quantized", config_groups: {} },
      ["weight_packed", "I32", [ROWS, 4], 4],
      ["weight_scale", "F16", [ROWS, 2], 2],
      ["weight_zero_point", "I32", [2, 2], 4],
      ["weight_shape", "I64", [2], 8],
    ),
  ],
  bitsandbytes: [
    wide(
      { quant_method: "bitsandbytes", load_in_4bit: true },
      ["weight", "U8", [256, 1], 1],
      ["weight.absmax", "F32", [8], 4],
      ["weight.quant_map", "F32", [16], 4],
      ["weight.quant_state.bitsandbytes__nf4", "U8", [96], 1],
    ),
    wide(
      { quant_method: "bitsandbytes", load_in_4bit: true, bnb_4bit_quant_type: "nf4" },
      ["weight", "U8", [256, 1], 1],
      ["weight.absmax", "U8", [8], 1],
      ["weight.nested_absmax", "F32", [1], 4],
      ["weight.nested_quant_map", "F32", [256], 4],
      ["weight.quant_map", "F32", [16], 4],
      ["weight.quant_state.bitsandbytes__nf4", "U8", [96], 1],
    ),
  ],
  mlx: [
    wide(
      { bits: 8, group_size: 32 },
      ["weight", "U32", [ROWS, 8], 4],
      ["scales", "F32", [ROWS, 1], 4],
      ["biases", "F32", [ROWS, 1], 4],
    ),
    wide(
      { bits: 4, group_size: 16 },
      ["weight", "U32", [ROWS, 4], 4],
      ["scales", "F16", [ROWS, 2], 2],
      ["biases", "BF16", [ROWS, 2], 2],
    ),
  ],
};

const PLAIN: readonly Tensor[] = [
  ["model.norm.weight", "F32", [COLS], 4],
  ["model.embed_tokens.weight", "F16", [8, COLS], 2],
  ["model.layers.0.mlp.up_proj.weight", "BF16", [ROWS, COLS], 2],
  ["model.layers.0.mlp.gate_proj.weight", "F8_E4M3", [ROWS, COLS], 1],
  ["model.layers.0.mlp.gate_proj.bias", "F64", [ROWS], 8],
  ["step", "I64", [1], 8],
];

const CONFIG = {
  ...{ model_type: "llama", hidden_size: COLS, num_attention_heads: 2, vocab_size: 8, num_hidden_layers: 1 },
  ...{ rope_scaling: { rope_type: "linear", factor: 2 }, eos_token_id: [2, 3] },
};
const STATE = { shape: [8, 64], blocksize: 64, nested_blocksize: 256, nested_offset: 0.5 };

/** Bytes of weights: mostly small numbers, whatever type they are read as. */
const noise = (length: number, random: Random) =>
  Uint8Array.from({ length }, () => (random() < 0.998 ? random() * 60 : random() * 256));

/** A safetensors file of these tensors, its header hurt with the given share. */
function weights(tensors: readonly Tensor[], random: Random, share: number): Uint8Array {
  let at = 0;
  const header = Object.fromEntries(
    tensors.map(([name, dtype, shape, per]) => {
      const begin = at;
      at += per * shape.reduce((a, b) => a * b, 1);
      return [name, { dtype, shape, data_offsets: [begin, at] }];
    }),
  );
  const data = noise(at, random);
  if (tensors.at(-1)?.[0].endsWith("nf4")) data.set(hurtState(random), at - 96);
  const json = hurtJson({ __metadata__: { format: "pt" }, ...header }, random, share);
  const length = random() < 0.05 ? Math.floor(random() * 2 ** 50) : json.length;
  return join([new Uint8Array(BigUint64Array.of(BigInt(length)).buffer), json, data]);
}

function hurtState(random: Random): Uint8Array {
  const state = hurtJson(STATE, random, 0.3);
  const padded = new Uint8Array(96).fill(32);
  padded.set(state.subarray(0, 96));
  return padded;
}

function damaged(forms: readonly Scheme[], random: Random): Uint8Array {
  const { settings, tensors } = pick(forms, random);
  const key = settings.quant_method ? "quantization_config" : "quantization";
  const config = hurtJson({ ...CONFIG, [key]: settings }, random, 0.35);
  const full = tensors.map(([suffix, ...rest]): Tensor => [`${NAME}.${suffix}`, ...rest]);
  const file = weights(full, random, 0.35);
  const hurt = random() < 0.25 ? hurtBytes(file, random, 3) : file;
  return packFiles({ "config.json": config, "model.safetensors": hurtEnd(hurt, random, 0.05) });
}

function damagedPlain(random: Random): Uint8Array {
  const [first, second] = [PLAIN.slice(0, 3), PLAIN.slice(3)];
  const map = (tensors: readonly Tensor[], shard: string) => tensors.map(([name]) => [name, shard]);
  const weight_map = Object.fromEntries([...map(first, "a.safetensors"), ...map(second, "b.safetensors")]);
  const file = weights(second, random, 0.35);
  return packFiles({
    "config.json": hurtJson(CONFIG, random, 0.3),
    "model.safetensors.index.json": hurtJson({ metadata: { total_size: 1 }, weight_map }, random, 0.25),
    "a.safetensors": hurtEnd(weights(first, random, 0.3), random, 0.05),
    "b.safetensors": random() < 0.25 ? hurtBytes(file, random, 3) : file,
  });
}

const read: Fuzzer["read"] = async (bytes, repacker) => readWhole(await openHfFolder(platformOf(bytes), "m"), repacker);

export const hfFuzzers: Readonly<Record<string, Fuzzer>> = {
  safetensors: { make: damagedPlain, read },
  ...Object.fromEntries(
    Object.entries(SCHEMES).map(([name, forms]) => [name, { make: (random: Random) => damaged(forms, random), read }]),
  ),
};
