// A model as GGUF files: the language model, and for LLaVA the projector file beside it. Rows of Q and K are permuted for
// llama.cpp's adjacent rotation, layers of the tower that are never used are left out.

import type { DecoderConfig, ModelConfig, VisionConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import { ggufName } from "./gguf/names.js";
import type { GgufOutput, GgufValue } from "./gguf-write.js";

/** What matrices are written as; vectors are always F32. */
export type GgufQuant = "F16" | "Q4_0" | "Q4_1" | "Q8_0";

export interface ExportParts {
  /** f32 values of a tensor of the model by canonical name, row-major. */
  readonly floats: (name: string) => Promise<Float32Array>;
  /** Rounds values to a type (assembly/kernels/blocks-write). */
  readonly pack: (type: GgufQuant, values: Float32Array) => Uint8Array;
}

export interface GgufParts {
  readonly metadata: readonly (readonly [string, GgufValue])[];
  readonly tensors: readonly GgufOutput[];
}

const u32 = (value: number): GgufValue => ({ type: "u32", value });
const f32 = (value: number): GgufValue => ({ type: "f32", value });
const text = (value: string): GgufValue => ({ type: "text", value });
const flag = (value: boolean): GgufValue => ({ type: "bool", value: value ? 1 : 0 });

interface Shape {
  readonly name: string;
  readonly shape: readonly number[];
}

function shapesOf(model: Model): Shape[] {
  const stored = [...(model.stored?.values() ?? [])].filter(({ name }) => !model.tensors.has(name));
  return [
    ...[...model.tensors.values()].map(({ name, shape }) => ({ name, shape })),
    ...stored.map(({ name, rows, cols }) => ({ name, shape: [rows, cols] })),
  ];
}

/**
 * The language model. @param vocabulary metadata of its tokenizer (gguf-vocabulary.ts)
 * @throws InputError for rows that the type cannot hold; another type is proposed
 */
export function decoderParts(
  model: Model,
  type: GgufQuant,
  vocabulary: readonly (readonly [string, GgufValue])[],
  parts: ExportParts,
): GgufParts {
  const c = model.config.decoder;
  const architecture = c.ropeStyle === "half" && (c.biases?.length ?? 0) > 0 ? "qwen2" : "llama";
  const permute = architecture === "llama" && c.ropeStyle === "half";
  const tensors = shapesOf(model)
    .filter(({ name }) => name.startsWith("model.") || name === "lm_head.weight")
    .filter(({ name }) => !(c.tiedEmbeddings && name === "lm_head.weight"))
    .map((tensor) => output(tensor, type, parts, permute ? headsOf(tensor.name, c) : 0));
  const factors = c.ropeFactors ? [factorTensor(c.ropeFactors)] : [];
  return { metadata: [...decoderMetadata(model, architecture), ...vocabulary], tensors: [...tensors, ...factors] };
}

function decoderMetadata({ name, config }: Model, architecture: string): [string, GgufValue][] {
  const c = config.decoder;
  const key = (field: string) => `${architecture}.${field}`;
  return [
    ["general.architecture", text(architecture)],
    ["general.name", text(name)],
    [key("context_length"), u32(c.maxContext)],
    [key("embedding_length"), u32(c.hidden)],
    [key("block_count"), u32(c.layers)],
    [key("feed_forward_length"), u32(c.ffn)],
    [key("attention.head_count"), u32(c.heads)],
    [key("attention.head_count_kv"), u32(c.kvHeads)],
    [key("attention.key_length"), u32(c.headDim)],
    [key("attention.value_length"), u32(c.headDim)],
    [key("attention.layer_norm_rms_epsilon"), f32(c.normEps)],
    [key("rope.dimension_count"), u32(c.headDim)],
    [key("rope.freq_base"), f32(c.ropeTheta)],
    [key("vocab_size"), u32(c.vocab)],
  ];
}

/** Heads whose halves turn, for the rows of Q and K; 0 for other tensors. */
function headsOf(name: string, c: DecoderConfig): number {
  if (/\.q_proj\.(weight|bias)$/.test(name)) return c.heads;
  return /\.k_proj\.(weight|bias)$/.test(name) ? c.kvHeads : 0;
}

function factorTensor(factors: readonly number[]): GgufOutput {
  const bytes = async () => new Uint8Array(Float32Array.from(factors).buffer);
  return { name: "rope_freqs.weight", type: "F32", shape: [factors.length], bytes };
}

function output({ name, shape }: Shape, quant: GgufQuant, { floats, pack }: ExportParts, heads: number): GgufOutput {
  const target = ggufName(name);
  if (target === null) throw new InputError(name, "", "GGUF has no name for this tensor", "Leave it out");
  const type = shape.length === 1 ? "F32" : quant;
  const bytes = async () => {
    const values = interleaved(await floats(name), shape, heads);
    if (type !== "F32") return pack(type, values);
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  };
  return { name: target, type, shape, bytes };
}

/** Rows (head, half, i) to (head, i, half): llama.cpp turns neighbours. */
function interleaved(values: Float32Array, shape: readonly number[], heads: number): Float32Array {
  if (heads === 0) return values;
  const width = values.length / shape[0];
  const pairs = shape[0] / heads / 2;
  const result = new Float32Array(values.length);
  for (let row = 0; row < shape[0]; row++) {
    const head = Math.floor(row / (2 * pairs));
    const [half, i] = [Math.floor(row / pairs) % 2, row % pairs];
    result.set(values.subarray(row * width, (row + 1) * width), (head * 2 * pairs + 2 * i + half) * width);
  }
  return result;
}

type Llava = Extract<ModelConfig, { architecture: "llava" }>;

/** The projector file of a LLaVA model. Patches and positions stay F32 or F16: their rows fit no block. */
export function projectorParts(model: Model, config: Llava, type: GgufQuant, parts: ExportParts): GgufParts {
  const { vision } = config;
  const used = vision.featureLayer < 0 ? vision.layers + 1 + vision.featureLayer : vision.featureLayer;
  const tensors = shapesOf(model)
    .filter(({ name }) => /^(vision_tower|multi_modal_projector)\./.test(name) && !name.includes("post_layernorm"))
    .filter(({ name }) => Number(/encoder\.layers\.(\d+)\./.exec(name)?.[1] ?? 0) < used)
    .map((tensor) => {
      if (tensor.name.endsWith("patch_embedding.weight")) {
        return output({ ...tensor, shape: [vision.hidden, 3, vision.patch, vision.patch] }, "F16", parts, 0);
      }
      if (!tensor.name.endsWith("position_embedding.weight")) return output(tensor, type, parts, 0);
      return { ...output({ ...tensor, shape: [1] }, "F16", parts, 0), shape: tensor.shape };
    });
  return { metadata: projectorMetadata(vision, config, used), tensors };
}

function projectorMetadata(vision: VisionConfig, config: Llava, used: number): [string, GgufValue][] {
  const key = (field: string) => `clip.vision.${field}`;
  return [
    ["general.architecture", text("clip")],
    ["clip.has_vision_encoder", flag(true)],
    ["clip.has_text_encoder", flag(false)],
    ["clip.has_llava_projector", flag(true)],
    ["clip.projector_type", text("mlp")],
    ["clip.use_gelu", flag(vision.activation === "gelu")],
    [key("image_size"), u32(vision.imageSize)],
    [key("patch_size"), u32(vision.patch)],
    [key("embedding_length"), u32(vision.hidden)],
    [key("feed_forward_length"), u32(vision.ffn)],
    [key("projection_dim"), u32(config.projector.outputs)],
    [key("block_count"), u32(used)],
    [key("attention.head_count"), u32(vision.heads)],
    [key("attention.layer_norm_epsilon"), f32(vision.normEps)],
    [key("image_mean"), { type: "f32s", value: vision.mean }],
    [key("image_std"), { type: "f32s", value: vision.std }],
  ];
}
