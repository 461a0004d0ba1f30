// A model of a real model's shapes with seeded weights made straight in packed form: it says how fast and how large such
// a model is, and nothing about quality. The decoder alone is what memory traffic is about; the whole model is what must fit.

import { InputError } from "../core/errors.js";
import type { ActivationFormat, KvFormat, TensorSpec } from "../core/op.js";
import type { Group, WeightData } from "../core/packed.js";
import type { Backend, Quantizer } from "../core/ports.js";
import { buildGraph, type Graph } from "./graph.js";
import { groupOf, isInt4, type LoadedModel } from "./load.js";
import type { QuantPlan } from "./plan.js";
import { LLAVA_15_LAYERS, llava15, llava15Decoder } from "./shapes.js";

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
  checkLayers(shape, layers);
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

function checkLayers(shape: string, layers: number): void {
  if (Number.isInteger(layers) && layers >= 1 && layers <= LLAVA_15_LAYERS) return;
  throw new InputError("layers", "", `${layers} is not in 1 to ${LLAVA_15_LAYERS}`, `${shape} has that many`);
}

export interface WholeOptions {
  readonly layers: number;
  readonly seed: number;
  readonly context: number;
  /** Before each weight. */
  readonly onTensor?: (index: number, count: number) => void;
}

/** LLaVA-1.5-7B whole: decoder in int4 groups of 128, everything else that is a matrix in int8, keys and values in int8. */
export function wholeGraph({ layers, context }: Pick<WholeOptions, "layers" | "context">): Graph {
  checkLayers("llava-1.5-7b", layers);
  const rest = { vision: "int8", projector: "int8", embedding: "int8", kv: "int8" } as const;
  const plan: QuantPlan = { decoder: "int4-g128", ...rest };
  return buildGraph(llava15(layers), { plan, activations: "int8", context, maxRows: Math.min(64, context) });
}

/** Rows of an int8 matrix that are made and uploaded at a time: no second copy of a large matrix is ever held. */
const PIECE_ROWS = 2048;

/** Allocates and fills the whole model. Throws InputError as loadSynthetic does. */
export async function loadWhole(backend: Backend, quantizer: Quantizer, options: WholeOptions): Promise<LoadedModel> {
  const { seed, onTensor } = options;
  const graph = wholeGraph(options);
  await backend.allocate(graph.tensors);
  const weights = graph.tensors.filter((tensor) => tensor.class === "weights");
  for (const [index, spec] of weights.entries()) {
    onTensor?.(index, weights.length);
    if (spec.format !== "int8") await backend.upload(spec.id, fill(quantizer, spec, seed));
    else await fillInt8(backend, quantizer, spec, seed + spec.id);
  }
  return { graph, backend };
}

async function fillInt8(backend: Backend, quantizer: Quantizer, { id, rows, cols }: TensorSpec, seed: number) {
  for (let row = 0; row < rows; row += PIECE_ROWS) {
    await backend.upload(id, quantizer.syntheticInt8(seed, row, Math.min(PIECE_ROWS, rows - row), cols), row);
  }
}

/** Norms are 1, biases 0, embeddings of classes and positions seeded; each matrix has its own seed. */
function fill(quantizer: Quantizer, spec: TensorSpec, seed: number): WeightData {
  const { name, rows, cols, format } = spec;
  if (isInt4(format)) return quantizer.syntheticInt4(seed + spec.id, rows, cols, groupOf(format));
  if (/_embedding(?:\.weight)?$/.test(name)) {
    const values = quantizer.unpack(quantizer.syntheticInt8(seed + spec.id, 0, rows, cols));
    return { kind: "f32", rows, cols, values };
  }
  return { kind: "f32", rows, cols, values: new Float32Array(rows * cols).fill(name.endsWith(".bias") ? 0 : 1) };
}
