// Hugging Face's config.json to a ModelConfig, with the defaults of transformers' LlamaConfig, CLIPVisionConfig and
// LlavaConfig, since configs written by transformers leave out what equals a default. What this program cannot run
// right is refused by name rather than run wrong.

import type { DecoderConfig, DecoderLinear, ModelConfig, ProjectorConfig, VisionConfig } from "../core/config.js";
import { type Fields, fieldsOf } from "./hf-fields.js";
import { dynamicReach, readRope } from "./hf-rope.js";

const SUPPORTED = "llama (also SmolLM2, TinyLlama, Vicuna), mistral, qwen2, llava (one of these with a CLIP tower)";

/** A table of tensors is laid out from the config alone, so a lying number of layers must not make it endless. */
const MOST_LAYERS = 1024;

type Triple = readonly [number, number, number];

/**
 * @param file name for messages
 * @param config parsed config.json
 * @param preprocessor parsed preprocessor_config.json, or null
 * @throws InputError for other architectures, bad values, or options that are not supported
 */
export function readConfig(file: string, config: unknown, preprocessor: unknown): ModelConfig {
  const fields = fieldsOf(file, config);
  const type = fields.text("model_type", "");
  if (isDecoder(type)) return { architecture: "llama", decoder: readDecoder(type, fields, fields) };
  if (type === "llava") return readLlava(fields, { file: preprocessorPath(file), value: preprocessor });
  throw fields.fail("model_type", `"${type}" is not supported`, `Supported are: ${SUPPORTED}`);
}

/** Decoders that are LLaMA's but for defaults, biases and the reach of attention. */
interface DecoderType {
  readonly ffn: number;
  readonly maxContext: number;
  readonly kvHeads: number | null;
  /** Biases that the architecture always has. */
  readonly biases: readonly DecoderLinear[];
  readonly slidingWindow: "never" | "always" | "by flag";
}

/** Defaults of LlamaConfig, MistralConfig and Qwen2Config. */
const DECODERS = {
  llama: { ffn: 11008, maxContext: 2048, kvHeads: null, biases: [], slidingWindow: "never" },
  mistral: { ffn: 14336, maxContext: 131072, kvHeads: 8, biases: [], slidingWindow: "always" },
  qwen2: { ffn: 22016, maxContext: 32768, kvHeads: 32, biases: ["q", "k", "v"], slidingWindow: "by flag" },
} as const satisfies Record<string, DecoderType>;

function isDecoder(type: string): type is keyof typeof DECODERS {
  return Object.hasOwn(DECODERS, type);
}

/** preprocessor_config.json, parsed, and where it stands. */
interface Preprocessor {
  readonly file: string;
  readonly value: unknown;
}

/** It stands beside the config. */
function preprocessorPath(configFile: string): string {
  return `${configFile.slice(0, configFile.lastIndexOf("/") + 1)}preprocessor_config.json`;
}

function readLlava(fields: Fields, preprocessor: Preprocessor): ModelConfig {
  const text = fields.object("text_config");
  const type = text.text("model_type", "llama");
  if (!isDecoder(type)) throw text.fail("model_type", `"${type}" is not supported`, `Supported are: ${SUPPORTED}`);
  const decoder = readDecoder(type, text, fields);
  const vision = readVision(fields, preprocessor);
  expect(fields, "projector_hidden_act", "gelu");
  expect(fields, "vision_feature_select_strategy", "default");
  expect(fields, "multimodal_projector_bias", true);
  const projector: ProjectorConfig = { activation: "gelu", inputs: vision.hidden, outputs: decoder.hidden };
  const imageTokenId = fields.count(fields.has("image_token_id") ? "image_token_id" : "image_token_index", 32000);
  if (imageTokenId >= decoder.vocab) {
    throw fields.fail("image_token_index", `${imageTokenId} is outside the vocabulary of ${decoder.vocab}`);
  }
  return { architecture: "llava", decoder, vision, projector, imageTokenId };
}

/** Refuses any other value than the one this program implements, which is also the default. */
function expect(fields: Fields, name: string, only: string | number | boolean): void {
  const found = fields.has(name) ? fields.raw(name) : only;
  if (found === only) return;
  throw fields.fail(name, `${JSON.stringify(found)} is not supported`, `Only ${JSON.stringify(only)} is`);
}

function readDecoder(type: keyof typeof DECODERS, fields: Fields, root: Fields): DecoderConfig {
  const otherwise: DecoderType = DECODERS[type];
  expect(fields, "hidden_act", "silu");
  const hidden = fields.count("hidden_size", 4096);
  const heads = fields.count("num_attention_heads", 32);
  const kvHeads = fields.count("num_key_value_heads", otherwise.kvHeads ?? heads);
  const headDim = fields.count("head_dim", hidden / heads);
  if (heads % kvHeads !== 0) throw fields.fail("num_key_value_heads", `${kvHeads} does not divide ${heads} heads`);
  if (headDim % 2 !== 0) throw fields.fail("head_dim", `${headDim} is odd, rotary embedding needs pairs`);
  const biases = readBiases(fields, otherwise);
  return {
    hidden,
    layers: fields.count("num_hidden_layers", 32, MOST_LAYERS),
    heads,
    kvHeads,
    headDim,
    ffn: fields.count("intermediate_size", otherwise.ffn),
    vocab: fields.count("vocab_size", type === "qwen2" ? 151936 : 32000),
    maxContext: Math.min(readReach(fields, otherwise), dynamicReach(fields) ?? Number.POSITIVE_INFINITY),
    normEps: fields.number("rms_norm_eps", 1e-6),
    ...readRope(fields, headDim),
    ropeStyle: "half",
    ...(biases.length > 0 ? { biases } : {}),
    tiedEmbeddings: fields.flag("tie_word_embeddings", root.flag("tie_word_embeddings", false)),
  };
}

function readBiases(fields: Fields, { biases }: DecoderType): readonly DecoderLinear[] {
  const attention = fields.flag("attention_bias", false) ? (["q", "k", "v", "o"] as const) : biases;
  return fields.flag("mlp_bias", false) ? [...attention, "gate", "up", "down"] : attention;
}

/** Attention to all positions equals a sliding window as long as the context is no longer than the window. */
function readReach(fields: Fields, { maxContext, slidingWindow }: DecoderType): number {
  const context = fields.count("max_position_embeddings", maxContext);
  const slides =
    slidingWindow === "always" || (slidingWindow === "by flag" && fields.flag("use_sliding_window", false));
  if (!slides || (fields.raw("sliding_window") ?? null) === null) return context;
  return Math.min(context, fields.count("sliding_window", context));
}

function readVision(root: Fields, preprocessor: Preprocessor): VisionConfig {
  const fields = root.object("vision_config");
  expect(fields, "model_type", "clip_vision_model");
  expect(fields, "num_channels", 3);
  const hidden = fields.count("hidden_size", 768);
  const heads = fields.count("num_attention_heads", 12);
  const imageSize = fields.count("image_size", 224);
  const patch = fields.count("patch_size", 32);
  const layers = fields.count("num_hidden_layers", 12, MOST_LAYERS);
  const activation = fields.text("hidden_act", "quick_gelu");
  if (hidden % heads !== 0) throw fields.fail("num_attention_heads", `${heads} does not divide ${hidden}`);
  if (imageSize % patch !== 0) throw fields.fail("patch_size", `${patch} does not divide the image size ${imageSize}`);
  if (activation !== "quick_gelu" && activation !== "gelu") {
    throw fields.fail("hidden_act", `"${activation}" is not supported`, "Supported are: quick_gelu, gelu");
  }
  return {
    imageSize,
    patch,
    hidden,
    layers,
    heads,
    ffn: fields.count("intermediate_size", 3072),
    normEps: fields.number("layer_norm_eps", 1e-5),
    activation: activation === "gelu" ? "gelu" : "quickGelu",
    featureLayer: readFeatureLayer(root, layers),
    ...readNormalisation(preprocessor, imageSize),
  };
}

function readFeatureLayer(root: Fields, layers: number): number {
  const layer = root.has("vision_feature_layer") ? root.raw("vision_feature_layer") : -2;
  const inRange = Number.isInteger(layer) && (layer as number) >= -(layers + 1) && (layer as number) <= layers;
  if (inRange) return layer as number;
  throw root.fail("vision_feature_layer", `${JSON.stringify(layer)} is no layer of a tower of ${layers}`);
}

/** CLIP's own mean and deviation unless preprocessor_config.json says otherwise (Radford et al. 2021). */
function readNormalisation(preprocessor: Preprocessor, imageSize: number): { mean: Triple; std: Triple } {
  const fields = fieldsOf(preprocessor.file, preprocessor.value ?? {});
  const triple = (name: string, otherwise: Triple): Triple => {
    const value = fields.has(name) ? fields.raw(name) : otherwise;
    const good = Array.isArray(value) && value.length === 3 && value.every((n) => Number.isFinite(n));
    if (!good) throw fields.fail(name, `is ${JSON.stringify(value)}, three numbers were expected`);
    return value as unknown as Triple;
  };
  const std = triple("image_std", [0.26862954, 0.26130258, 0.27577711]);
  if (std.some((s) => s <= 0)) throw fields.fail("image_std", `is [${std}], it must be above 0`);
  const crop = fields.raw("crop_size");
  const height = typeof crop === "number" ? crop : fields.object("crop_size").number("height", imageSize);
  if (height !== imageSize) {
    throw fields.fail("crop_size", `${height} is not the image size ${imageSize} of config.json`);
  }
  return { mean: triple("image_mean", [0.48145466, 0.4578275, 0.40821073]), std };
}
