// A model of the shipped model's architecture with random weights that never were a file.

import { modelConfig, preprocessorConfig, tensorShapes } from "../../scripts/model/architecture.js";
import type { Model } from "../../src/core/model.js";
import type { LazyTensor } from "../../src/core/tensor.js";
import { readConfig } from "../../src/formats/hf-config.js";
import { canonicalName } from "../../src/formats/hf-folder.js";
import { uniform } from "../../src/model/sample.js";
import { memorySource } from "../formats/memory-source.js";

const source = memorySource(new Uint8Array(0));

export const randomLlava: Model = {
  name: "random",
  origin: "random",
  config: readConfig("config.json", modelConfig, preprocessorConfig),
  tensors: new Map(
    [...tensorShapes()].map(([name, shape]) => {
      const tensor: LazyTensor = { name: canonicalName(name), dtype: "f32", shape, source, offset: 0, byteLength: 0 };
      return [tensor.name, tensor];
    }),
  ),
  tokenizer: null,
  fileBytes: 0,
};

/** Weights such that signals neither die out nor explode: norms near 1, matrices of variance 2 / inputs. */
export async function randomWeights({ name, shape }: LazyTensor): Promise<Float32Array> {
  const count = shape.reduce((product, n) => product * n, 1);
  const random = uniform([...name].reduce((seed, letter) => Math.imul(seed, 31) + letter.charCodeAt(0), 7));
  const spread = name.includes("embed_tokens") ? 1 : shape.length > 1 ? Math.sqrt((6 * shape[0]) / count) : 0.3;
  const middle = /norm[12]?\.weight$/.test(name) ? 1 : 0;
  return Float32Array.from({ length: count }, () => middle + spread * (random() * 2 - 1));
}
