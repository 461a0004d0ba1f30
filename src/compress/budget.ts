// What a model needs by part and scheme, from its config alone: the arithmetic behind `nibblemark fit`. Sizes are those of files: f16
// scales, 4-bit zero points, norms, biases and embeddings of positions in f16.

import type { DecoderConfig, ModelConfig, VisionConfig } from "../core/config.js";
import type { FitBytes } from "../core/fit.js";
import { MIB } from "../core/units.js";

/** Form of a part: f16, int8 with a scale a row, int4 with a scale and a zero point for 128 columns. */
export type PartForm = "f16" | "int8" | "int4-g128";

/** The form of each part of a model. */
export interface FitScheme {
  readonly name: string;
  readonly help: string;
  readonly decoder: PartForm;
  /** Token embedding and head. */
  readonly embedding: PartForm;
  readonly vision: PartForm;
  readonly projector: PartForm;
  /** Whether layers of the tower that are never used are kept, as files that others wrote keep them. */
  readonly wholeTower: boolean;
}

const F16 = { decoder: "f16", embedding: "f16", vision: "f16", projector: "f16", wholeTower: true } as const;
const INT8 = { decoder: "int8", embedding: "int8", vision: "int8", projector: "int8", wholeTower: false } as const;

/** compression.md calls them F16, I8, A, B and C. */
export const FIT_SCHEMES: readonly FitScheme[] = [
  { name: "f16", help: "everything in f16", ...F16 },
  { name: "int8", help: "everything in int8", ...INT8 },
  { name: "awq", help: "decoder int4-g128, the rest f16, as AutoAWQ and GPTQ write it", ...F16, decoder: "int4-g128" },
  { name: "mixed", help: "decoder int4-g128, the rest int8", ...INT8, decoder: "int4-g128" },
  {
    name: "small",
    help: "decoder, embedding and head int4-g128, the rest int8",
    ...{ ...INT8, decoder: "int4-g128", embedding: "int4-g128" },
  },
];

export const KV_FORMS = ["f16", "int8"] as const;
export type KvForm = (typeof KV_FORMS)[number];

/** Activations and scratch of a prompt of some hundred tokens. */
export const WORKSPACE_BYTES = 256 * MIB;

/** Bytes of a matrix [rows, cols] in a form. */
export function matrixBytes(rows: number, cols: number, form: PartForm): number {
  switch (form) {
    case "f16":
      return rows * cols * 2;
    case "int8":
      return rows * cols + rows * 2;
    case "int4-g128":
      return (rows * cols) / 2 + (rows * Math.ceil(cols / 128) * 20) / 8;
    default:
      return form satisfies never;
  }
}

type Shape = readonly [rows: number, cols: number];

const sum = (shapes: readonly Shape[], form: PartForm): number =>
  shapes.reduce((total, [rows, cols]) => total + matrixBytes(rows, cols, form), 0);

/** One block of the decoder: seven matrices, two norms, biases. */
export function layerBytes(c: DecoderConfig, form: PartForm): number {
  const [q, kv] = [c.heads * c.headDim, c.kvHeads * c.headDim];
  const attention: Shape[] = [
    [q, c.hidden],
    [kv, c.hidden],
    [kv, c.hidden],
    [c.hidden, q],
  ];
  const mlp: Shape[] = [
    [c.ffn, c.hidden],
    [c.ffn, c.hidden],
    [c.hidden, c.ffn],
  ];
  const widths = { q, k: kv, v: kv, o: c.hidden, gate: c.ffn, up: c.ffn, down: c.hidden };
  const biases = (c.biases ?? []).reduce((total, letter) => total + widths[letter], 0);
  return sum([...attention, ...mlp], form) + (2 * c.hidden + biases) * 2;
}

/** Token embedding, and the head where it is another matrix. */
export function embeddingBytes(c: DecoderConfig, form: PartForm): number {
  return matrixBytes(c.vocab, c.hidden, form) * (c.tiedEmbeddings ? 1 : 2);
}

/** The tower; quantized are the matrices of its layers, patches and positions stay f16. */
export function visionBytes(c: VisionConfig, form: PartForm, whole: boolean): number {
  const used = c.featureLayer < 0 ? c.layers + 1 + c.featureLayer : c.featureLayer;
  const { hidden, ffn } = c;
  const attention: Shape[] = Array.from({ length: 4 }, () => [hidden, hidden] as const);
  const matrices = sum([...attention, [ffn, hidden], [hidden, ffn]], form);
  // Four biases of attention, two of the MLP, two norms with biases.
  const vectors = (4 * hidden + ffn + hidden + 4 * hidden) * 2;
  const tokens = (c.imageSize / c.patch) ** 2 + 1;
  const embeddings = (hidden + hidden * 3 * c.patch ** 2 + tokens * hidden) * 2;
  const norms = (whole ? 4 : 2) * hidden * 2;
  return (whole ? c.layers : used) * (matrices + vectors) + embeddings + norms;
}

/** Keys and values of `context` positions: f16, or int8 with an f16 scale a head. */
export function kvBytes(c: DecoderConfig, layers: number, context: number, form: KvForm): number {
  const width = c.kvHeads * c.headDim;
  const each = form === "f16" ? width * 2 : width + c.kvHeads * 2;
  return 2 * each * layers * context;
}

/** Everything with `layers` blocks left. */
export function fitBytes(
  config: ModelConfig,
  layers: number,
  scheme: FitScheme,
  kv: KvForm,
  context: number,
  workspace: number = WORKSPACE_BYTES,
): FitBytes {
  const { decoder: c } = config;
  const parts = {
    decoder: layers * layerBytes(c, scheme.decoder) + c.hidden * 2,
    embedding: embeddingBytes(c, scheme.embedding),
    vision: config.architecture === "llava" ? visionBytes(config.vision, scheme.vision, scheme.wholeTower) : 0,
    projector: config.architecture === "llava" ? projectorBytes(config.projector, scheme.projector) : 0,
  };
  const weights = parts.decoder + parts.embedding + parts.vision + parts.projector;
  const cache = kvBytes(c, layers, context, kv);
  return { ...parts, kv: cache, workspace, weights, total: weights + cache + workspace };
}

function projectorBytes({ inputs, outputs }: { readonly inputs: number; readonly outputs: number }, form: PartForm) {
  const matrices: Shape[] = [
    [outputs, inputs],
    [outputs, outputs],
  ];
  return sum(matrices, form) + 2 * outputs * 2;
}

/** Least number of removed blocks so that everything fits; null where not even one block does. */
export function leastRemoved(
  config: ModelConfig,
  scheme: FitScheme,
  kv: KvForm,
  context: number,
  budget: number,
  workspace: number = WORKSPACE_BYTES,
): number | null {
  const { layers } = config.decoder;
  for (let removed = 0; removed < layers; removed++) {
    if (fitBytes(config, layers - removed, scheme, kv, context, workspace).total <= budget) return removed;
  }
  return null;
}
