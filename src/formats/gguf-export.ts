// A model as GGUF files: the language model, and for LLaVA the projector file beside it. Rows of Q and K are permuted for
// llama.cpp's adjacent rotation, layers of the tower that are never used are left out.

import type { DecoderConfig, ModelConfig, RopeYarn, VisionConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import { elementCount } from "../core/tensor.js";
import type { Rounder, SourceTensor, WriteSource, WrittenType } from "../core/write.js";
import { ROPE_STYLES } from "./gguf/config.js";
import { ggufName } from "./gguf/names.js";
import { blocksOfInt4 } from "./gguf-int4.js";
import type { GgufOutput, GgufValue } from "./gguf-write.js";
import type { LossLog } from "./loss.js";
import { orderedRecords, orderedRows, rowOrder } from "./row-order.js";
import { yarnGain } from "./yarn.js";

/** What matrices are written as; vectors are always F32. */
export type GgufQuant = WrittenType;

/** How values become bytes, and where what that cost is kept. */
export interface ExportParts {
  readonly rounder: Rounder;
  readonly log: LossLog;
  /** Type of a matrix, where they differ. */
  readonly typeOf?: (tensor: SourceTensor) => GgufQuant;
}

export interface GgufParts {
  readonly metadata: readonly (readonly [string, GgufValue])[];
  readonly tensors: readonly GgufOutput[];
}

const u32 = (value: number): GgufValue => ({ type: "u32", value });
const f32 = (value: number): GgufValue => ({ type: "f32", value });
const text = (value: string): GgufValue => ({ type: "text", value });
const flag = (value: boolean): GgufValue => ({ type: "bool", value: value ? 1 : 0 });

/**
 * The language model. @param vocabulary metadata of its tokenizer (gguf-vocabulary.ts)
 * @throws InputError for rows that the type cannot hold; another type is proposed
 */
export function decoderParts(
  { name, config, tensors }: WriteSource,
  type: GgufQuant,
  vocabulary: readonly (readonly [string, GgufValue])[],
  parts: ExportParts,
): GgufParts {
  const c = config.decoder;
  const architecture = architectureOf(c);
  const outputs = tensors
    .filter((tensor) => tensor.name.startsWith("model.") || tensor.name === "lm_head.weight")
    .filter((tensor) => !(c.tiedEmbeddings && tensor.name === "lm_head.weight") && !UNUSED.test(tensor.name))
    .map((tensor) =>
      output(tensor, parts.typeOf?.(tensor) ?? type, parts, rowOrder(tensor.name, c, ROPE_STYLES[architecture])),
    );
  const factors = c.ropeFactors && needsFactors(c) ? [factorTensor(c.ropeFactors)] : [];
  return {
    metadata: [...decoderMetadata(name, c, architecture, type), ...vocabulary],
    tensors: [...outputs, ...factors],
  };
}

/** Tables that old checkpoints keep and that follow from the config. */
const UNUSED = /\.rotary_emb\.inv_freq$/;

/** qwen2 is llama with biases of q, k and v that turns halves; llama.cpp's has no place for a factor a frequency. */
function architectureOf(c: DecoderConfig): keyof typeof ROPE_STYLES {
  const biased = [...(c.biases ?? [])].sort().join() === "k,q,v";
  return c.ropeStyle === "half" && biased && !needsFactors(c) ? "qwen2" : "llama";
}

/** Whether frequencies are scaled as no setting of GGUF says, so that their divisors must stand in a tensor. */
const needsFactors = ({ ropeFactors, ropeYarn }: DecoderConfig): boolean =>
  ropeFactors !== undefined && !ropeYarn && uniform(ropeFactors) === null;

/** The one divisor of all frequencies (linear scaling), or null where they differ. */
function uniform(factors: readonly number[] | undefined): number | null {
  return factors?.every((factor) => factor === factors[0]) ? factors[0] : null;
}

/** general.file_type of llama.cpp's llama_ftype. */
const FILE_TYPES = { F32: 0, F16: 1, Q4_0: 2, Q4_1: 3, Q8_0: 7 } as const;

function decoderMetadata(name: string, c: DecoderConfig, architecture: string, type: GgufQuant): [string, GgufValue][] {
  const key = (field: string) => `${architecture}.${field}`;
  return [
    ["general.architecture", text(architecture)],
    ["general.name", text(name)],
    ["general.file_type", u32(FILE_TYPES[type])],
    ["general.quantization_version", u32(2)],
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
    ...(c.ropeYarn ? yarnScaling(c.ropeYarn, c.ropeGain ?? 1, key) : otherScaling(c, key)),
  ];
}

type KeyOf = (field: string) => string;

function otherScaling(c: DecoderConfig, key: KeyOf): [string, GgufValue][] {
  const gain: [string, GgufValue][] =
    c.ropeGain === undefined ? [] : [[key("rope.scaling.attn_factor"), f32(c.ropeGain)]];
  return [...linearScaling(c, key), ...gain];
}

/** What llama.cpp multiplies with YaRN's own factor is what the model's differs by. */
function yarnScaling(
  { factor, context, betaFast, betaSlow }: RopeYarn,
  gain: number,
  key: KeyOf,
): [string, GgufValue][] {
  const own = yarnGain(factor);
  return [
    [key("rope.scaling.type"), text("yarn")],
    [key("rope.scaling.factor"), f32(factor)],
    [key("rope.scaling.original_context_length"), u32(context)],
    [key("rope.scaling.yarn_beta_fast"), f32(betaFast)],
    [key("rope.scaling.yarn_beta_slow"), f32(betaSlow)],
    ...(gain === own ? [] : [[key("rope.scaling.attn_factor"), f32(gain / own)] as [string, GgufValue]]),
  ];
}

function linearScaling({ ropeFactors }: DecoderConfig, key: KeyOf): [string, GgufValue][] {
  const factor = uniform(ropeFactors);
  if (factor === null) return [];
  return [
    [key("rope.scaling.type"), text("linear")],
    [key("rope.scaling.factor"), f32(factor)],
  ];
}

function factorTensor(factors: readonly number[]): GgufOutput {
  const bytes = async () => new Uint8Array(Float32Array.from(factors).buffer);
  return { name: "rope_freqs.weight", type: "F32", shape: [factors.length], bytes };
}

function output(
  tensor: SourceTensor,
  quant: GgufQuant,
  { rounder, log }: ExportParts,
  order: Uint32Array | null,
): GgufOutput {
  const { name, shape } = tensor;
  const target = ggufName(name);
  if (target === null) throw new InputError(name, "", "GGUF has no name for this tensor", "Leave it out");
  const type = shape.length === 1 ? "F32" : quant;
  const [rows, cols] = [shape[0], elementCount(shape.slice(1))];
  const bytes = async () => {
    const kept = await keptCodes(tensor, type, order);
    if (kept) {
      log.kept(name, type);
      return kept;
    }
    const values = orderedRows(await tensor.floats(), order);
    const written = rounder.blocks(type, values);
    if (type === "F32") log.kept(name, type);
    else log.add(name, type, values, rounder.unpackBlocks(type, written, rows, cols));
    return written;
  };
  return { name: target, type, shape, bytes };
}

/** The codes that a tensor has already, where the type holds them as they are. */
async function keptCodes({ int4 }: SourceTensor, type: GgufQuant, order: Uint32Array | null) {
  if (!int4 || (type !== "Q4_0" && type !== "Q4_1")) return null;
  const wrong = type === "Q4_0" ? "bias" : "none8";
  return int4.offset === wrong ? null : blocksOfInt4(orderedRecords(await int4.read(), order), type);
}

type Llava = Extract<ModelConfig, { architecture: "llava" }>;

/** The projector file of a LLaVA model. Patches and positions stay F32 or F16: their rows fit no block. */
export function projectorParts(source: WriteSource, config: Llava, type: GgufQuant, parts: ExportParts): GgufParts {
  const { vision } = config;
  const small = type === "F32" ? "F32" : "F16";
  const used = vision.featureLayer < 0 ? vision.layers + 1 + vision.featureLayer : vision.featureLayer;
  const tensors = source.tensors
    .filter(({ name }) => /^(vision_tower|multi_modal_projector)\./.test(name) && !name.includes("post_layernorm"))
    .filter(({ name }) => Number(/encoder\.layers\.(\d+)\./.exec(name)?.[1] ?? 0) < used)
    .map((tensor) => {
      if (tensor.name.endsWith("patch_embedding.weight")) {
        return output({ ...tensor, shape: [vision.hidden, 3, vision.patch, vision.patch] }, small, parts, null);
      }
      if (!tensor.name.endsWith("position_embedding.weight")) {
        return output(tensor, parts.typeOf?.(tensor) ?? type, parts, null);
      }
      return { ...output({ ...tensor, shape: [1] }, small, parts, null), shape: tensor.shape };
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
    // Without it llama.cpp stops one layer before the last (tools/mtmd/models/llava.cpp).
    [key("feature_layer"), { type: "i32s", value: [used] }],
    [key("attention.head_count"), u32(vision.heads)],
    [key("attention.layer_norm_epsilon"), f32(vision.normEps)],
    [key("image_mean"), { type: "f32s", value: vision.mean }],
    [key("image_std"), { type: "f32s", value: vision.std }],
  ];
}
