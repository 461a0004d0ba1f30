// Puts a model's weights into a backend: one tensor at a time is read, rounded and uploaded, so that a checkpoint needs
// little more memory than its quantized form.

import { InputError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { StorageFormat, TensorSpec } from "../core/op.js";
import type { Group, WeightData } from "../core/packed.js";
import type { Backend, Quantizer } from "../core/ports.js";
import { elementCount, type LazyTensor } from "../core/tensor.js";
import { buildGraph, type Graph, type GraphOptions } from "./graph.js";

/** The concrete parts that loading needs, picked by the entry point. */
export interface LoadParts {
  readonly backend: Backend;
  readonly quantizer: Quantizer;
  /** formats/convert.ts `readFloat32`. */
  readonly readFloat32: (tensor: LazyTensor) => Promise<Float32Array>;
  /** Called before each tensor. */
  readonly onTensor?: (spec: TensorSpec, index: number, count: number) => void;
}

/** A model that lies in a backend, ready to run. */
export interface LoadedModel {
  readonly graph: Graph;
  readonly backend: Backend;
}

/**
 * Checks every tensor's presence and shape, then allocates, then streams.
 * Throws InputError for missing tensors, other shapes, integer or non-finite weights, or too little memory.
 */
export async function loadModel(model: Model, parts: LoadParts, options: GraphOptions): Promise<LoadedModel> {
  const graph = buildGraph(model.config, options);
  const weights = graph.tensors.filter((spec) => spec.class === "weights");
  const sources = weights.map((spec) => findTensor(model, spec));
  await parts.backend.allocate(graph.tensors);
  for (const [index, spec] of weights.entries()) {
    parts.onTensor?.(spec, index, weights.length);
    const values = await parts.readFloat32(sources[index]);
    await parts.backend.upload(spec.id, quantize(parts.quantizer, values, spec));
  }
  return { graph, backend: parts.backend };
}

/** The file's tensor for a spec; a patch embedding [hidden, 3, p, p] or a vector [n] counts as its flat form. */
function findTensor(model: Model, spec: TensorSpec): LazyTensor {
  const tensor = model.tensors.get(spec.name);
  if (!tensor) {
    throw new InputError(
      model.origin,
      spec.name,
      "the tensor is missing",
      "Get the whole checkpoint or fix its config",
    );
  }
  const rows = tensor.shape.length > 1 ? tensor.shape[0] : 1;
  if (rows !== spec.rows || elementCount(tensor.shape) !== spec.rows * spec.cols) {
    const problem = `has shape [${tensor.shape}], its config asks for [${spec.rows}, ${spec.cols}]`;
    throw new InputError(model.origin, spec.name, problem, "Use the config that belongs to this checkpoint");
  }
  return tensor;
}

/** Rounds one matrix to the format of its spec. */
export function quantize(quantizer: Quantizer, values: Float32Array, spec: TensorSpec): WeightData {
  const { rows, cols, format } = spec;
  switch (format) {
    case "f32":
      return { kind: "f32", rows, cols, values };
    case "int8":
      return quantizer.int8(values, rows, cols);
    case "int4-g16":
    case "int4-g32":
    case "int4-g64":
    case "int4-g128":
      return quantizer.int4(values, rows, cols, groupOf(format));
    default:
      return format satisfies never;
  }
}

/** Columns per scale of an int4 format. */
export function groupOf(format: Extract<StorageFormat, `int4-g${Group}`>): Group {
  return Number(format.slice("int4-g".length)) as Group;
}
