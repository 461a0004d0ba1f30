// Whether the project's trainer can hold a model: it trains LLaVA of the shipped model's kind.

import type { ModelConfig } from "../../core/config.js";
import type { LlavaConfig } from "../../train/parameters.js";

/** Why not, as the end of a sentence; null: it can. */
export function trainableReason(config: ModelConfig): string | null {
  if (config.architecture !== "llava") return "the trainer trains models that see (LLaVA) only";
  const { decoder, vision } = config;
  if (!decoder.tiedEmbeddings) return "the trainer ties the head to the embedding, this model does not";
  if (decoder.ropeStyle !== "half" || decoder.ropeFactors) return "the trainer knows plain RoPE of halves only";
  if ((decoder.biases ?? []).length > 0) return "the trainer's decoder has no biases";
  if (vision.featureLayer !== -1) return "the trainer takes the vision tower's last layer";
  if (vision.activation !== "quickGelu") return "the trainer's vision tower uses quick-GELU";
  if ([...vision.mean, ...vision.std].some((value) => value !== 0.5)) return "the trainer normalises pictures by 0.5";
  const sizes = [decoder.hidden, decoder.ffn, decoder.headDim, vision.hidden, vision.ffn, decoder.vocab];
  if (sizes.some((size) => size % 8 !== 0)) return "the trainer wants sizes that are multiples of 8";
  return null;
}

/** The config with its kind known. Call after `trainableReason` gave null. */
export const asLlava = (config: ModelConfig): LlavaConfig => config as LlavaConfig;
