// Layer shapes of real models, for figures of speed and memory without their weights.

import type { DecoderConfig, ModelConfig } from "../core/config.js";

/** LLaVA-1.5-7B's decoder (Vicuna-7B, LLaMA-2 7B; Touvron et al. 2023) with `layers` of its 32 layers. */
export function llava15Decoder(layers: number): DecoderConfig {
  return {
    hidden: 4096,
    layers,
    heads: 32,
    kvHeads: 32,
    headDim: 128,
    ffn: 11008,
    vocab: 32000,
    maxContext: 4096,
    normEps: 1e-5,
    ropeTheta: 10000,
    ropeStyle: "half",
    tiedEmbeddings: false,
  };
}

export const LLAVA_15_LAYERS = 32;

/**
 * The whole of llava-hf/llava-1.5-7b-hf with `layers` of its 32 layers: CLIP ViT-L/14 at 336 pixels (its last layer is never used), a
 * projector of two layers, a vocabulary padded to 32064 with `<image>` at 32000 (Liu et al. 2023).
 */
export function llava15(layers: number): Extract<ModelConfig, { architecture: "llava" }> {
  return {
    architecture: "llava",
    decoder: { ...llava15Decoder(layers), vocab: 32064 },
    vision: {
      imageSize: 336,
      patch: 14,
      hidden: 1024,
      layers: 24,
      heads: 16,
      ffn: 4096,
      normEps: 1e-5,
      activation: "quickGelu",
      featureLayer: -2,
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
    },
    projector: { activation: "gelu", inputs: 1024, outputs: 4096 },
    imageTokenId: 32000,
  };
}
