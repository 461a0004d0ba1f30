// Layer shapes of real models, for figures of speed and memory without their weights.

import type { DecoderConfig } from "../core/config.js";

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
