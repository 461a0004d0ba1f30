// config.json and preprocessor_config.json of a model that comes from a file of another format, as transformers reads them.

import type { DecoderConfig, ModelConfig, RopeYarn, VisionConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import { llama3Factor } from "./hf-rope.js";

type Json = Readonly<Record<string, unknown>>;

/** @param file name for messages. @throws InputError for what transformers has no setting for */
export function hfSettings(file: string, config: ModelConfig, special: { bosId: number; eosId: number } | null): Json {
  const text = decoderSettings(file, config.decoder, special);
  if (config.architecture === "llama") return text;
  const { architectures: _, ...inner } = text;
  return {
    architectures: ["LlavaForConditionalGeneration"],
    model_type: "llava",
    image_token_index: config.imageTokenId,
    image_seq_length: (config.vision.imageSize / config.vision.patch) ** 2,
    projector_hidden_act: "gelu",
    multimodal_projector_bias: true,
    vision_feature_layer: config.vision.featureLayer,
    vision_feature_select_strategy: "default",
    tie_word_embeddings: config.decoder.tiedEmbeddings,
    text_config: inner,
    vision_config: visionSettings(config.vision),
  };
}

/** Biases as an architecture has them. */
function kindOf(file: string, { biases = [] }: DecoderConfig): Json {
  const given = new Set(biases);
  const has = (...letters: readonly string[]) => letters.every((letter) => given.has(letter as never));
  const mlp = has("gate", "up", "down");
  const rest = given.size - (mlp ? 3 : 0);
  if (rest === 3 && has("q", "k", "v") && !mlp) return { architectures: ["Qwen2ForCausalLM"], model_type: "qwen2" };
  if (rest !== 0 && !(rest === 4 && has("q", "k", "v", "o"))) {
    throw new InputError(
      file,
      "biases",
      `of ${biases.join(", ")} are in no architecture of transformers`,
      "Write GGUF",
    );
  }
  const flags = { attention_bias: rest === 4, mlp_bias: mlp };
  return { architectures: ["LlamaForCausalLM"], model_type: "llama", ...flags };
}

function decoderSettings(file: string, c: DecoderConfig, special: { bosId: number; eosId: number } | null): Json {
  return {
    ...kindOf(file, c),
    vocab_size: c.vocab,
    hidden_size: c.hidden,
    intermediate_size: c.ffn,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    num_key_value_heads: c.kvHeads,
    head_dim: c.headDim,
    hidden_act: "silu",
    max_position_embeddings: c.maxContext,
    rms_norm_eps: shortest(c.normEps),
    rope_theta: c.ropeTheta,
    rope_scaling: scalingOf(file, c),
    tie_word_embeddings: c.tiedEmbeddings,
    ...(special ? { bos_token_id: special.bosId, eos_token_id: special.eosId } : {}),
  };
}

/** GGUF holds f32 numbers: 1e-5 is meant where 0.000009999999747378752 stands. */
const shortest = (value: number): number => Number(Math.fround(value).toPrecision(7));

function yarnSettings({ factor, context, betaFast, betaSlow }: RopeYarn, attentionFactor: number): Json {
  return {
    ...{ rope_type: "yarn", factor, original_max_position_embeddings: context },
    ...{ beta_fast: betaFast, beta_slow: betaSlow, attention_factor: attentionFactor },
  };
}

/** Linear scaling, YaRN, or Llama 3's with the numbers that its releases have. */
function scalingOf(file: string, c: DecoderConfig): Json | null {
  const { ropeFactors, ropeGain, ropeYarn, ropeTheta, headDim } = c;
  if (!ropeFactors) return null;
  if (ropeYarn) return yarnSettings(ropeYarn, ropeGain ?? 1);
  const [first] = ropeFactors;
  if (ropeGain !== undefined) throw unsettable(file);
  if (ropeFactors.every((factor) => factor === first)) return { rope_type: "linear", factor: first };
  const factor = Math.round(Math.max(...ropeFactors));
  const bounds = { low: 1, high: 4, context: 8192 };
  const isLlama3 = ropeFactors.every((found, i) => {
    return Math.abs(llama3Factor(ropeTheta ** ((-2 * i) / headDim), factor, bounds) / found - 1) < 1e-5;
  });
  if (isLlama3) {
    return {
      ...{ rope_type: "llama3", factor, low_freq_factor: bounds.low, high_freq_factor: bounds.high },
      original_max_position_embeddings: bounds.context,
    };
  }
  throw unsettable(file);
}

function unsettable(file: string): InputError {
  return new InputError(file, "rope_freqs", "transformers has no setting for these frequencies", "Write GGUF");
}

function visionSettings(v: VisionConfig): Json {
  return {
    model_type: "clip_vision_model",
    hidden_size: v.hidden,
    intermediate_size: v.ffn,
    num_hidden_layers: v.layers,
    num_attention_heads: v.heads,
    image_size: v.imageSize,
    patch_size: v.patch,
    hidden_act: v.activation === "gelu" ? "gelu" : "quick_gelu",
    layer_norm_eps: shortest(v.normEps),
  };
}

/** What CLIP's image processor does to a picture. */
export function preprocessorSettings({ imageSize, mean, std }: VisionConfig): Json {
  return {
    ...{ image_processor_type: "CLIPImageProcessor", processor_class: "LlavaProcessor", do_convert_rgb: true },
    ...{ do_resize: true, size: { shortest_edge: imageSize }, resample: 3 },
    ...{ do_center_crop: true, crop_size: { height: imageSize, width: imageSize } },
    ...{ do_rescale: true, rescale_factor: 1 / 255, do_normalize: true },
    image_mean: mean.map(shortest),
    image_std: std.map(shortest),
  };
}
