// What `nibblemark inspect` tells of a model: its tensors by class, and the memory that running it takes in each format.
// A pure function of headers: nothing is read.

import type { Model } from "../../core/model.js";
import { type TensorSpec, tensorBytes } from "../../core/op.js";
import { QUANT_NAMES, type QuantName } from "../../core/scenario.js";
import { elementCount } from "../../core/tensor.js";
import { buildGraph } from "../../model/graph.js";
import { planOf } from "../../model/plan.js";

/** Tensors that differ in their layer only. */
export interface TensorClassFacts {
  /** Canonical name, `N` for the layer. */
  readonly name: string;
  readonly part: string;
  /** The file's own form: f16, AWQ g128, Q4_K. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly bitsPerWeight: number;
}

/** Bytes to run with `contextTokens` positions in one format. */
export interface MemoryFacts {
  readonly quant: QuantName;
  /** Decoder, embedding and head. */
  readonly weights: number;
  /** Tower and projector: weights and activations. */
  readonly vision: number;
  readonly kv: number;
  /** Activations of the decoder. */
  readonly workspace: number;
  readonly total: number;
  /** null without a budget. */
  readonly fits: boolean | null;
}

export interface Inspection {
  readonly schemaVersion: 2;
  readonly name: string;
  readonly config: Model["config"];
  readonly fileBytes: number;
  readonly parameters: number;
  readonly contextTokens: number;
  readonly budgetBytes: number | null;
  readonly parts: readonly { readonly part: string; readonly parameters: number }[];
  readonly memory: readonly MemoryFacts[];
  readonly classes: readonly TensorClassFacts[];
  readonly tensors: readonly TensorFacts[];
  /** What was taken for granted, as sentences. */
  readonly notes: readonly string[];
}

interface TensorFacts {
  readonly name: string;
  readonly part: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** Most positions that memory is told for unless asked. */
const CONTEXT = 2048;

/**
 * @param contextTokens null: the model's own context, at most 2048
 * @param budgetBytes null: none
 * @throws InputError for a context beyond the model's
 */
export function inspectModel(model: Model, contextTokens: number | null, budgetBytes: number | null): Inspection {
  const context = contextTokens ?? Math.min(CONTEXT, model.config.decoder.maxContext);
  const graphOf = (quant: QuantName) =>
    buildGraph(model.config, { plan: planOf(quant, model.stored, model.kv), activations: "f32", context }).tensors;
  const specs = graphOf("f32");
  const tensors = tensorsOf(model, new Map(specs.map(({ name, part }) => [name, part])));
  return {
    schemaVersion: 2,
    name: model.name,
    config: model.config,
    fileBytes: model.fileBytes,
    parameters: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    contextTokens: context,
    budgetBytes,
    parts: partsOf(specs),
    memory: QUANT_NAMES.map((quant) => memoryOf(quant, graphOf(quant), budgetBytes)),
    classes: classesOf(tensors),
    tensors,
    notes: [...(model.notes ?? []), ...(unread(model) ? [UNREAD_SCALES] : [])],
  };
}

const UNREAD_SCALES =
  "Scales that are not f16 are read when the model is loaded: where f16 cannot hold a matrix's, its `stored` form has f32 ones and is larger";

const unread = ({ stored }: Model): boolean => [...(stored?.values() ?? [])].some(({ settle }) => settle);

function tensorsOf(model: Model, partOf: ReadonlyMap<string, string>): TensorFacts[] {
  const stored = [...(model.stored?.values() ?? [])]
    .filter(({ name }) => !model.tensors.has(name))
    .map(({ name, label, rows, cols, byteLength }) => ({ name, dtype: label, shape: [rows, cols], bytes: byteLength }));
  const plain = [...model.tensors.values()].map(({ name, dtype, shape, byteLength }) => {
    return { name, dtype, shape, bytes: byteLength };
  });
  return [...plain, ...stored].map((tensor) => ({ ...tensor, part: partOf.get(tensor.name) ?? "unused" }));
}

function classesOf(tensors: readonly TensorFacts[]): TensorClassFacts[] {
  const groups = new Map<string, TensorFacts[]>();
  for (const tensor of tensors) {
    const name = tensor.name.replace(/\.(\d+)\./, ".N.");
    const key = JSON.stringify([name, tensor.dtype, tensor.shape, tensor.part]);
    groups.set(key, [...(groups.get(key) ?? []), tensor]);
  }
  return [...groups.entries()].map(([key, members]) => {
    const [name, dtype, shape, part] = JSON.parse(key) as [string, string, number[], string];
    const parameters = members.length * elementCount(shape);
    const bytes = members.reduce((sum, member) => sum + member.bytes, 0);
    return {
      name,
      part,
      dtype,
      shape,
      count: members.length,
      parameters,
      bytes,
      bitsPerWeight: (bytes * 8) / parameters,
    };
  });
}

/** Parameters of a graph's weights, summed by part. */
function partsOf(specs: readonly TensorSpec[]): Inspection["parts"] {
  const weights = specs.filter((spec) => spec.class === "weights");
  return [...new Set(weights.map(({ part }) => part))].map((part) => ({
    part,
    parameters: weights.reduce((sum, spec) => sum + (spec.part === part ? spec.rows * spec.cols : 0), 0),
  }));
}

function memoryOf(quant: QuantName, specs: readonly TensorSpec[], budgetBytes: number | null): MemoryFacts {
  const sum = (wanted: (spec: TensorSpec) => boolean) =>
    specs.reduce((bytes, spec) => bytes + (wanted(spec) ? tensorBytes(spec) : 0), 0);
  const sees = ({ part }: TensorSpec) => part === "vision" || part === "projector";
  const weights = sum((spec) => spec.class === "weights" && !sees(spec));
  const vision = sum(sees);
  const kv = sum((spec) => spec.class === "kv");
  const workspace = sum((spec) => (spec.class === "activations" || spec.class === "input") && !sees(spec));
  const total = weights + vision + kv + workspace;
  return { quant, weights, vision, kv, workspace, total, fits: budgetBytes === null ? null : total <= budgetBytes };
}
