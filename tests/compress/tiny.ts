// A decoder of random weights for tests of compression, with grouped heads and biases, run block by block.

import { openWasm } from "../../src/backends/wasm.js";
import type { CalibrationSample } from "../../src/compress/samples.js";
import type { DecoderConfig, ModelConfig } from "../../src/core/config.js";
import type { FloatsOf, StreamedForward } from "../../src/core/layers.js";
import type { WriteSource } from "../../src/core/write.js";
import { buildGraph } from "../../src/model/graph.js";
import { planOf } from "../../src/model/plan.js";
import { openStreamed } from "../../src/model/streamed.js";
import { nodePlatform } from "../../src/platform/node.js";
import { noise } from "./module.js";

export const tinyDecoder: DecoderConfig = {
  ...{ hidden: 64, layers: 4, heads: 4, kvHeads: 2, headDim: 16, ffn: 96, vocab: 40, maxContext: 64 },
  ...{ normEps: 1e-5, ropeTheta: 10000, ropeStyle: "half", tiedEmbeddings: false, biases: ["q", "k", "v"] },
};

export const tinyConfig: ModelConfig = { architecture: "llama", decoder: tinyDecoder };

/** Weights near what training gives: norms around 1, a few strong channels, blocks that change the stream a little. */
export function tinyFloats(config: ModelConfig = tinyConfig, seed = 1): FloatsOf {
  const graph = buildGraph(config, { plan: planOf("f32"), activations: "f32" });
  const shapes = new Map(graph.tensors.map((spec) => [spec.name, spec]));
  const made = new Map<string, Float32Array>();
  return async (name) => {
    const known = made.get(name);
    if (known) return known;
    const spec = shapes.get(name);
    if (!spec) throw new Error(`${name} is no tensor of the tiny model`);
    const next = noise([...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed));
    const middle = /norm/.test(name) ? 1 : 0;
    const size = middle === 1 || /bias$/.test(name) ? 0.3 : /o_proj|down_proj/.test(name) ? 0.6 / 8 : 1.5 / 8;
    const values = Float32Array.from({ length: spec.rows * spec.cols }, (_, i) => {
      const strong = middle === 1 && i % 13 === 5 ? 6 : 1;
      return strong * (middle + size * next());
    });
    made.set(name, values);
    return values;
  };
}

export function tinySource(config: ModelConfig = tinyConfig, floats: FloatsOf = tinyFloats(config)): WriteSource {
  const graph = buildGraph(config, { plan: planOf("f32"), activations: "f32" });
  const tensors = graph.tensors
    .filter((spec) => spec.class === "weights")
    .map(({ name, rows, cols }) => ({ name, shape: rows === 1 ? [cols] : [rows, cols], floats: () => floats(name) }));
  return { name: "tiny", config, tensors };
}

export function tinySamples(count: number, seed = 5): CalibrationSample[] {
  const next = noise(seed);
  return Array.from({ length: count }, (_, i) => {
    const length = 20 + (i % 5);
    return {
      tokens: Array.from({ length }, () => Math.floor((next() + 1) * 20)),
      pixels: null,
      classes: Uint8Array.from({ length }, (_, t) => (t > length - 5 ? 2 : 1)),
    };
  });
}

export function tinyForward(
  floats: FloatsOf = tinyFloats(),
  config: ModelConfig = tinyConfig,
): Promise<StreamedForward> {
  const openBackend = () => openWasm(nodePlatform(), { variant: "simd", threads: 1 });
  return openStreamed(config, { openBackend, floats }, 64);
}

/** How the inputs of as many samples are gathered. */
export const gathering = (count: number) => ({
  grams: [] as const,
  classes: tinySamples(count).map(({ classes }) => classes),
  balanced: false,
});
