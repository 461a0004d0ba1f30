// Writes trained parameters as a Hugging Face LLaVA folder: fp16 `model.safetensors` with its
// provenance, and the configuration files that transformers reads beside it.

import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../src/core/errors.js";
import { elementCount } from "../../src/core/tensor.js";
import { type OutputTensor, writeSafetensors } from "../../src/formats/safetensors-write.js";
import { nodePlatform } from "../../src/platform/node.js";
import { generationConfig, modelConfig, preprocessorConfig, processorConfig, tensorShapes } from "./architecture.js";
import { writeWhole } from "./evalfiles.js";
import { halfBytes } from "./half.js";

/** Trained values by Hugging Face name. */
export type Parameters = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;

/** Checks names, shapes and values, and rounds to fp16 on demand. @throws InputError naming the tensor */
function outputTensors(parameters: Parameters, source: string): OutputTensor[] {
  const shapes = tensorShapes();
  const fail = (name: string, problem: string): InputError =>
    new InputError(source, name, problem, "Export a checkpoint of this version's trainer.");
  for (const name of parameters.keys()) if (!shapes.has(name)) throw fail(name, "is no tensor of this model");
  return [...shapes].map(([name, shape]) => {
    const given = parameters.get(name);
    if (!given) throw fail(name, "is missing");
    if (given.shape.join() !== shape.join() || given.values.length !== elementCount(shape)) {
      throw fail(name, `has shape [${given.shape}], not [${shape}]`);
    }
    if (!given.values.every((value) => Math.abs(value) < 65504)) throw fail(name, "has values that fp16 cannot hold");
    return { name, dtype: "f16" as const, shape, bytes: () => halfBytes(given.values) };
  });
}

/**
 * Writes the model's files into `folder` and returns the sha256 of `model.safetensors`.
 * @param provenance strings kept in the file's `__metadata__`: seed, steps, hashes of the data
 * @param source where the parameters come from, for messages
 */
export async function exportModel(
  parameters: Parameters,
  folder: string,
  provenance: Readonly<Record<string, string>>,
  source: string,
): Promise<string> {
  const tensors = outputTensors(parameters, source);
  mkdirSync(folder, { recursive: true });
  const json = (name: string, contents: object): void =>
    writeWhole(join(folder, name), `${JSON.stringify(contents, null, 2)}\n`);
  json("config.json", modelConfig);
  json("preprocessor_config.json", preprocessorConfig);
  json("processor_config.json", processorConfig);
  json("generation_config.json", generationConfig);
  const path = join(folder, "model.safetensors");
  const bytes = await writeSafetensors(nodePlatform(), path, tensors, { format: "pt", ...provenance });
  return createHash("sha256").update(bytes).digest("hex");
}
