// A tiny model and synthetic batches for the trainer's tests. Sizes are the smallest that still use every part:
// grouped KV heads, several layers, packed questions, text, pictures of 2 x 2 patches.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TrainBatch, TrainSequence } from "../../src/core/batch.js";
import { openTrainModule, type TrainModule } from "../../src/train/kernels.js";
import { type LlavaConfig, parameterTable } from "../../src/train/parameters.js";
import { openState, startValues, type TrainState } from "../../src/train/state.js";

export const imageToken = 4;

export const tinyConfig: LlavaConfig = {
  architecture: "llava",
  imageTokenId: imageToken,
  decoder: {
    hidden: 16,
    layers: 2,
    heads: 2,
    kvHeads: 1,
    headDim: 8,
    ffn: 24,
    vocab: 32,
    maxContext: 64,
    normEps: 1e-5,
    ropeTheta: 10000,
    ropeStyle: "half",
    tiedEmbeddings: true,
  },
  vision: {
    imageSize: 8,
    patch: 4,
    hidden: 16,
    layers: 2,
    heads: 2,
    ffn: 32,
    normEps: 1e-5,
    activation: "quickGelu",
    featureLayer: -1,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  projector: { activation: "gelu", inputs: 16, outputs: 16 },
};

export function openModule(): Promise<TrainModule> {
  return openTrainModule(readFileSync(fileURLToPath(new URL("../../train.wasm", import.meta.url))));
}

export async function tinyState(seed: number): Promise<TrainState> {
  const state = openState(await openModule(), parameterTable(tinyConfig));
  startValues(state, seed);
  return state;
}

/** A small linear congruential generator: floats in [0, 1). */
export function makeUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/** `<s>`, 4 image tokens, then `segments` stretches of 3 tokens that do not see each other. */
export function questionSequence(uniform: () => number, image: number, segments: number): TrainSequence {
  const word = (): number => 5 + Math.floor(uniform() * 27);
  const tail = Array.from({ length: segments * 3 }, (_, i) => ({
    token: word(),
    position: 5 + (i % 3),
    segment: 1 + Math.floor(i / 3),
  }));
  const prefix = [1, imageToken, imageToken, imageToken, imageToken];
  const tokens = [...prefix, ...tail.map(({ token }) => token)];
  return {
    image,
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from([0, 1, 2, 3, 4, ...tail.map(({ position }) => position)]),
    segments: Int32Array.from([0, 0, 0, 0, 0, ...tail.map(({ segment }) => segment)]),
    targets: Int32Array.from(tokens, (_, i) => (i < 5 || (i - 5) % 3 === 2 ? -1 : tokens[i + 1])),
    weights: Float32Array.from(tokens, (_, i) => (i < 5 || (i - 5) % 3 === 2 ? 0 : (i - 5) % 3 === 1 ? 1 : 0.1)),
  };
}

export function textSequence(uniform: () => number, length: number): TrainSequence {
  const tokens = Int32Array.from({ length: length + 1 }, () => 5 + Math.floor(uniform() * 27));
  return {
    image: -1,
    tokens: tokens.slice(0, length),
    positions: Int32Array.from({ length }, (_, i) => i),
    segments: new Int32Array(length),
    targets: tokens.slice(1),
    weights: new Float32Array(length).fill(0.5),
  };
}

/** Two pictures with 3 and 2 questions, two texts of odd lengths. */
export function tinyBatch(seed: number): TrainBatch {
  const uniform = makeUniform(seed);
  const pixels = Uint8Array.from({ length: 2 * 8 * 8 * 3 }, () => Math.floor(uniform() * 256));
  const label = (classes: number): number => (uniform() < 0.2 ? -1 : Math.floor(uniform() * classes));
  const labels = Int32Array.from({ length: 12 }, (_, i) => label([10, 10, 10, 10, 3, 8][i % 6]));
  const sequences = [
    questionSequence(uniform, 0, 3),
    textSequence(uniform, 13),
    questionSequence(uniform, 1, 2),
    textSequence(uniform, 7),
  ];
  return { pixels, sequences, labels };
}
