// What a model is made of, whatever file it came from. Names follow Hugging Face's configs where they have one.

import type { RopeStyle } from "./op.js";

/** Linear layers of a decoder block by the letter of their canonical name (`q` = self_attn.q_proj, `up` = mlp.up_proj). */
export type DecoderLinear = "q" | "k" | "v" | "o" | "gate" | "up" | "down";

/** YaRN (Peng et al. 2023) with a ramp between whole pairs. */
export interface RopeYarn {
  readonly factor: number;
  /** Positions that the model was trained with before scaling. */
  readonly context: number;
  /** Turns over that context from which on a frequency stays, and below which it is divided. */
  readonly betaFast: number;
  readonly betaSlow: number;
}

export interface DecoderConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Inner width of SwiGLU. */
  readonly ffn: number;
  readonly vocab: number;
  readonly maxContext: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  readonly ropeStyle: RopeStyle;
  /** Frequency i is divided by entry i, [headDim / 2]; absent: by 1. Scaled RoPE of every kind in use is such a list. */
  readonly ropeFactors?: readonly number[];
  /** YaRN's attention factor: turned queries and keys are multiplied by it; only beside factors, absent: 1. */
  readonly ropeGain?: number;
  /** Settings that factors and gain follow from, where they are YaRN's: some formats name these and no factors. */
  readonly ropeYarn?: RopeYarn;
  /** Layers that add a bias; absent: none. */
  readonly biases?: readonly DecoderLinear[];
  readonly tiedEmbeddings: boolean;
}

export interface VisionConfig {
  readonly imageSize: number;
  readonly patch: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly ffn: number;
  readonly normEps: number;
  readonly activation: "quickGelu" | "gelu";
  /** Which hidden state feeds the projector: -1 the last layer's output, -2 the one before. */
  readonly featureLayer: number;
  /** Pixel normalisation per channel: (x / 255 - mean) / std. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

export interface ProjectorConfig {
  readonly activation: "gelu";
  readonly inputs: number;
  readonly outputs: number;
}

export type ModelConfig =
  | { readonly architecture: "llama"; readonly decoder: DecoderConfig }
  | {
      readonly architecture: "llava";
      readonly decoder: DecoderConfig;
      readonly vision: VisionConfig;
      readonly projector: ProjectorConfig;
      readonly imageTokenId: number;
    };

/** Sizes of a model in words: two models with equal ones differ in their values alone. */
export function shapeName(config: ModelConfig): string {
  const { layers, hidden, ffn, heads, kvHeads, headDim, vocab } = config.decoder;
  const text = `${layers} blocks of ${hidden}, ${ffn}, ${heads} and ${kvHeads} heads of ${headDim}, ${vocab} tokens`;
  if (config.architecture !== "llava") return text;
  return `${text}; ${config.vision.layers} of ${config.vision.hidden}, ${config.vision.ffn} for pictures`;
}
