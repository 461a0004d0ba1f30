// A GGUF file's metadata to the config of a decoder. What this program cannot run right is refused by name.
// Keys: ggml's docs/gguf.md; RoPE by llama.cpp's rope types (llama turns adjacent pairs, its rows are permuted for that;
// qwen2 turns halves).

import type { DecoderConfig, DecoderLinear } from "../../core/config.js";
import { yarnFactors, yarnGain } from "../yarn.js";
import type { GgufFields } from "./fields.js";
import { ggufFields } from "./fields.js";
import type { GgufFile, GgufTensor } from "./header.js";

/** Architectures by GGUF's name; Mistral, TinyLlama and SmolLM2 are stored as "llama". */
export const ROPE_STYLES = { llama: "adjacent", qwen2: "half" } as const satisfies Record<
  string,
  DecoderConfig["ropeStyle"]
>;

const MOST_LAYERS = 1024;
const WIDEST_HEAD = 4096;
const LINEARS: readonly (readonly [string, DecoderLinear])[] = [
  ["attn_q", "q"],
  ["attn_k", "k"],
  ["attn_v", "v"],
  ["attn_output", "o"],
  ["ffn_gate", "gate"],
  ["ffn_up", "up"],
  ["ffn_down", "down"],
];

function isSupported(architecture: string): architecture is keyof typeof ROPE_STYLES {
  return Object.hasOwn(ROPE_STYLES, architecture);
}

/** Throws InputError for architectures, scalings or sizes that are not supported. */
export async function readDecoderConfig(file: GgufFile): Promise<DecoderConfig> {
  const fields = ggufFields(file);
  const architecture = fields.text("general.architecture");
  if (!isSupported(architecture)) {
    const known = `Supported are: ${Object.keys(ROPE_STYLES).join(", ")} (and a "clip" projector beside them)`;
    throw fields.fail("general.architecture", `"${architecture}" is not supported`, known);
  }
  const ropeStyle = ROPE_STYLES[architecture];
  const key = (name: string) => `${architecture}.${name}`;
  if (fields.number(key("expert_count"), 0) !== 0) {
    throw fields.fail(key("expert_count"), "mixtures of experts are not supported", "Use a dense model");
  }
  const hidden = fields.count(key("embedding_length"));
  const heads = fields.count(key("attention.head_count"));
  const kvHeads = fields.count(key("attention.head_count_kv"), heads);
  const headDim = fields.count(key("attention.key_length"), hidden / heads, WIDEST_HEAD);
  if (heads % kvHeads !== 0) throw fields.fail(key("attention.head_count_kv"), `${kvHeads} does not divide ${heads}`);
  if (headDim % 2 !== 0) {
    throw fields.fail(key("attention.key_length"), `${headDim} is odd, rotary embedding needs pairs`);
  }
  for (const name of ["attention.value_length", "rope.dimension_count"]) {
    const value = fields.count(key(name), headDim);
    if (value !== headDim) throw fields.fail(key(name), `${value} is not the width of a head, ${headDim}`);
  }
  const table = file.tensors.get("token_embd.weight");
  if (table?.shape.length !== 2) throw fields.fail("token_embd.weight", "is missing or no matrix");
  const factors = await ropeScaling(file, fields, architecture, headDim);
  const biases = LINEARS.filter(([name]) => file.tensors.has(`blk.0.${name}.bias`)).map(([, letter]) => letter);
  return {
    ...{ hidden, heads, kvHeads, headDim, ropeStyle },
    layers: fields.count(key("block_count"), undefined, MOST_LAYERS),
    ffn: fields.count(key("feed_forward_length")),
    vocab: table.shape[0],
    maxContext: fields.count(key("context_length")),
    normEps: fields.number(key("attention.layer_norm_rms_epsilon")),
    ropeTheta: fields.number(key("rope.freq_base"), 10000),
    ...factors,
    ...(biases.length > 0 ? { biases } : {}),
    tiedEmbeddings: !file.tensors.has("output.weight"),
  };
}

type Scaling = Pick<DecoderConfig, "ropeFactors" | "ropeGain" | "ropeYarn">;

/** Linear scaling divides all frequencies by one factor; Llama 3's factors stand in a tensor; YaRN has settings. */
async function ropeScaling(
  file: GgufFile,
  fields: GgufFields,
  architecture: string,
  headDim: number,
): Promise<Scaling> {
  const key = `${architecture}.rope.scaling.type`;
  const old = fields.number(`${architecture}.rope.scale_linear`, 1);
  const type = fields.text(key, old === 1 ? "none" : "linear");
  if (type === "yarn") return yarnScaling(fields, architecture, headDim);
  if (type !== "none" && type !== "linear") {
    throw fields.fail(key, `"${type}" is not supported`, "Supported are: none, linear, yarn, and Llama 3's rope_freqs");
  }
  const factor = type === "linear" ? fields.number(`${architecture}.rope.scaling.factor`, old) : 1;
  const tensor = file.tensors.get("rope_freqs.weight");
  if (tensor && (tensor.type.name !== "F32" || tensor.byteLength !== headDim * 2)) {
    throw fields.fail("rope_freqs.weight", `${tensor.type.name} [${tensor.shape}], F32 [${headDim / 2}] was expected`);
  }
  const list = tensor ? await readFloats(tensor, headDim / 2) : new Array<number>(headDim / 2).fill(1);
  const factors = list.map((value) => value * factor);
  if (factors.some((value) => !(value > 0 && value < 1e6))) {
    throw fields.fail(tensor ? "rope_freqs.weight" : key, "holds factors that are not above 0");
  }
  const gain = fields.number(`${architecture}.rope.scaling.attn_factor`, 1);
  if (!(gain > 0)) throw fields.fail(`${architecture}.rope.scaling.attn_factor`, `${gain} is not above 0`);
  if (gain !== 1) return { ropeFactors: factors, ropeGain: gain };
  return factors.every((value) => value === 1) ? {} : { ropeFactors: factors };
}

function yarnScaling(fields: GgufFields, architecture: string, headDim: number): Scaling {
  const key = (name: string) => `${architecture}.rope.scaling.${name}`;
  const factor = fields.number(key("factor"), 1);
  const theta = fields.number(`${architecture}.rope.freq_base`, 10000);
  const context = fields.count(key("original_context_length"), fields.count(`${architecture}.context_length`));
  const betaFast = fields.number(key("yarn_beta_fast"), 32);
  const betaSlow = fields.number(key("yarn_beta_slow"), 1);
  if (!(factor >= 1)) throw fields.fail(key("factor"), `${factor} is below 1`);
  if (!(theta > 1)) throw fields.fail(`${architecture}.rope.freq_base`, `${theta} is not above 1`);
  if (!(betaSlow > 0 && betaFast >= betaSlow)) throw fields.fail(key("yarn_beta_fast"), `${betaFast} is too small`);
  const ropeFactors = yarnFactors({ theta, headDim, factor, context, betaFast, betaSlow, truncate: true });
  const ropeGain = yarnGain(factor) * fields.number(key("attn_factor"), 1);
  return { ropeFactors, ropeGain, ropeYarn: { factor, context, betaFast, betaSlow } };
}

async function readFloats({ source, offset }: GgufTensor, count: number): Promise<number[]> {
  const bytes = await source.read(offset, count * 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, i) => view.getFloat32(i * 4, true));
}
