// Puts a model's weights into a backend: one tensor at a time is read, rounded and uploaded, so that a checkpoint needs
// little more memory than its quantized form.

import { InputError, UnavailableError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { StorageFormat, TensorSpec } from "../core/op.js";
import type { Group, Repacker, WeightData } from "../core/packed.js";
import type { Backend, Quantizer } from "../core/ports.js";
import { settled, type WeightPiece } from "../core/stored.js";
import { elementCount, type LazyTensor } from "../core/tensor.js";
import { buildGraph, type Graph, type GraphOptions } from "./graph.js";

/** The concrete parts that loading needs, picked by the entry point. */
export interface LoadParts {
  readonly backend: Backend;
  readonly quantizer: Quantizer;
  /** For models with matrices that their file holds quantized. */
  readonly repacker?: Repacker;
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
export async function loadModel(opened: Model, parts: LoadParts, asked: GraphOptions): Promise<LoadedModel> {
  const { model, options } = await settle(opened, asked);
  const graph = buildGraph(model.config, options);
  const weights = graph.tensors.filter((spec) => spec.class === "weights");
  const loaders = weights.map((spec) => loaderOf(model, spec, parts, options));
  await parts.backend.allocate(graph.tensors);
  for (const [index, spec] of weights.entries()) {
    parts.onTensor?.(spec, index, weights.length);
    await loaders[index]();
  }
  return { graph, backend: parts.backend };
}

/** Model and plan with the forms that matrices turn out to have. */
async function settle(model: Model, options: GraphOptions): Promise<{ model: Model; options: GraphOptions }> {
  const { exact } = options.plan;
  if (!exact || !model.stored || ![...model.stored.values()].some((matrix) => matrix.settle)) return { model, options };
  const stored = await settled(model.stored);
  const forms = new Map([...exact].map(([name, form]) => [name, stored.get(name) ?? form]));
  return { model: { ...model, stored }, options: { ...options, plan: { ...options.plan, exact: forms } } };
}

/** How a weight gets into the backend. Throws InputError for tensors that are missing or misshapen. */
function loaderOf(model: Model, spec: TensorSpec, parts: LoadParts, options: GraphOptions): () => Promise<void> {
  const { backend } = parts;
  const pieces = readerOf(model, spec, parts, options);
  const stored = options.plan.exact?.has(spec.name) ? model.stored?.get(spec.name) : undefined;
  if (stored?.raw && backend.load) return async () => backend.load?.(spec.id, stored);
  return async () => {
    for await (const { row, data } of pieces()) await backend.upload(spec.id, data, row);
  };
}

/** How a weight gets to its spec's form: as the file holds it, rounded again, or rounded from floats. */
function readerOf(
  model: Model,
  spec: TensorSpec,
  { quantizer, repacker, readFloat32 }: LoadParts,
  { plan }: GraphOptions,
): () => AsyncIterable<WeightPiece> {
  const order = spec.name.endsWith(".order") ? `${spec.name.slice(0, -".order".length)}.weight` : null;
  const stored = model.stored?.get(order ?? spec.name);
  const { rows, cols } = spec;
  if (stored && order) return () => whole(async () => ({ kind: "f32", rows, cols, values: await stored.order() }));
  const exact = plan.exact?.has(spec.name) ?? false;
  if (!stored || (!exact && model.tensors.has(spec.name))) {
    const tensor = findTensor(model, spec);
    return () => whole(async () => quantize(quantizer, await readFloat32(tensor), spec));
  }
  if (stored.rows !== rows || stored.cols !== cols) {
    throw misshapen(model, spec, [stored.rows, stored.cols]);
  }
  if (!repacker) throw new UnavailableError(spec.name, `${stored.label} needs a repacker`, "Load it with one");
  if (exact) return () => stored.pieces?.(repacker) ?? whole(() => stored.read(repacker));
  return () =>
    whole(async () => {
      const values = unpacker(quantizer, repacker)(await stored.read(repacker));
      if (!stored.permuted) return quantize(quantizer, values, spec);
      return quantize(quantizer, quantizer.scatterColumns(values, await stored.order(), rows), spec);
    });
}

/** A matrix in one piece. */
async function* whole(read: () => Promise<WeightData>): AsyncGenerator<WeightPiece> {
  yield { row: 0, data: await read() };
}

/** The floats that a file's own form stands for. */
function unpacker(quantizer: Quantizer, repacker: Repacker): (data: WeightData) => Float32Array {
  return (data) => (data.kind === "blocks" ? repacker.unpack(data) : quantizer.unpack(data));
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
    throw misshapen(model, spec, tensor.shape);
  }
  return tensor;
}

function misshapen(model: Model, spec: TensorSpec, shape: readonly number[]): InputError {
  const problem = `has shape [${shape}], its config asks for [${spec.rows}, ${spec.cols}]`;
  return new InputError(model.origin, spec.name, problem, "Use the config that belongs to this checkpoint");
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
    default: {
      const remedy = "Ask for f32, int8 or int4, or keep what the file stores";
      throw new InputError(spec.name, "format", `nothing is rounded to ${format}`, remedy);
    }
  }
}

export function isInt4(format: StorageFormat): format is Extract<StorageFormat, `int4-g${Group}`> {
  return format.startsWith("int4-");
}

/** Columns per scale of an int4 format. */
export function groupOf(format: Extract<StorageFormat, `int4-g${Group}`>): Group {
  return Number(format.slice("int4-g".length)) as Group;
}
