// A model of a real model's shapes with seeded weights made straight in packed form: it says how fast and how large such
// a model is, and nothing about quality. Only the decoder: it is what memory traffic is about.

import { InputError } from "../core/errors.js";
import type { ActivationFormat, KvFormat, TensorSpec } from "../core/op.js";
import type { Group, WeightData } from "../core/packed.js";
import type { Backend, Quantizer } from "../core/ports.js";
import { buildGraph } from "./graph.js";
import { groupOf, isInt4, type LoadedModel } from "./load.js";
import type { QuantPlan } from "./plan.js";
import { LLAVA_15_LAYERS, llava15Decoder } from "./shapes.js";

export interface SyntheticOptions {
  readonly shape: "llava-1.5-7b";
  readonly layers: number;
  readonly group: Group;
  readonly activations: ActivationFormat;
  readonly kv?: KvFormat | undefined;
  readonly seed: number;
  readonly context: number;
  readonly maxRows?: number;
}

/**
 * Allocates and fills a synthetic decoder, embedding and head in int4 as well. Its name says what it is.
 * Throws InputError for a number of layers that the real model has not, or too little memory.
 */
export async function loadSynthetic(
  backend: Backend,
  quantizer: Quantizer,
  options: SyntheticOptions,
): Promise<LoadedModel & { readonly name: string }> {
  const { shape, layers, group, activations, kv = "f32", context } = options;
  if (!Number.isInteger(layers) || layers < 1 || layers > LLAVA_15_LAYERS) {
    throw new InputError("layers", "", `${layers} is not in 1 to ${LLAVA_15_LAYERS}`, `${shape} has that many`);
  }
  const format = `int4-g${group}` as const;
  const plan: QuantPlan = { decoder: format, vision: format, projector: format, embedding: format, kv };
  const config = { architecture: "llama", decoder: llava15Decoder(layers) } as const;
  const maxRows = options.maxRows ?? Math.min(64, context);
  const graph = buildGraph(config, { plan, activations, context, maxRows });
  await backend.allocate(graph.tensors);
  for (const spec of graph.tensors.filter((tensor) => tensor.class === "weights")) {
    await backend.upload(spec.id, fill(quantizer, spec, options.seed));
  }
  return { name: `synthetic ${shape}, ${layers} layers`, graph, backend };
}

/** Norms are 1; each matrix has its own seed. */
function fill(quantizer: Quantizer, spec: TensorSpec, seed: number): WeightData {
  const { rows, cols, format } = spec;
  if (isInt4(format)) return quantizer.syntheticInt4(seed + spec.id, rows, cols, groupOf(format));
  return { kind: "f32", rows, cols, values: new Float32Array(rows * cols).fill(1) };
}
