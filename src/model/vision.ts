// The CLIP vision tower as ops (Radford et al. 2021; Dosovitskiy et al. 2021): patches, class token, learned positions,
// pre-norm blocks. Only the layers below the feature layer exist: LLaVA never looks at the rest.

import type { VisionConfig } from "../core/config.js";
import type { ActivationFormat, Op, TensorId } from "../core/op.js";
import { activationsOf, type QuantPlan } from "./plan.js";
import type { TensorTable } from "./tensor-table.js";

interface Linear {
  readonly weight: TensorId; // [outputs, inputs]
  readonly bias: TensorId; // [outputs]
}

interface Norm {
  readonly weight: TensorId; // [hidden]
  readonly bias: TensorId; // [hidden]
}

export interface VisionLayerIds {
  readonly norm1: Norm;
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly out: Linear;
  readonly norm2: Norm;
  readonly fc1: Linear;
  readonly fc2: Linear;
}

export interface VisionIds {
  readonly image: TensorId; // [3 * imageSize, imageSize] normalised planes
  readonly patchWeight: TensorId; // [hidden, 3 * patch * patch]
  readonly classToken: TensorId; // [1, hidden]
  readonly positions: TensorId; // [tokens, hidden]
  readonly preNorm: Norm;
  readonly layers: readonly VisionLayerIds[];
  readonly embedded: TensorId; // [tokens, hidden]
  readonly x: TensorId; // [tokens, hidden]
  readonly normed: TensorId; // [tokens, hidden]
  readonly queries: TensorId; // [tokens, hidden]
  readonly keys: TensorId; // [tokens, hidden]
  readonly values: TensorId; // [tokens, hidden]
  readonly branch: TensorId; // [tokens, hidden]
  readonly inner: TensorId; // [tokens, ffn]
}

export function patchCount(config: VisionConfig): number {
  return (config.imageSize / config.patch) ** 2;
}

/** Layers that run: hidden state 0 is the embedding, state n the output of layer n, negatives count from the end. */
function layersUsed(config: VisionConfig): number {
  return config.featureLayer < 0 ? config.layers + 1 + config.featureLayer : config.featureLayer;
}

const PREFIX = "vision_tower.vision_model";

/** Adds the tower's tensors to the table; tokens = patches + 1 class token. */
export function visionTensors(t: TensorTable, c: VisionConfig, plan: QuantPlan): VisionIds {
  const tokens = patchCount(c) + 1;
  const row = (name: string, cols: number) => t.activation(`vision.${name}`, "vision", tokens, cols);
  const embeddings = `${PREFIX}.embeddings`;
  return {
    image: t.input("vision.image", "vision", 3 * c.imageSize, c.imageSize),
    patchWeight: t.weight(
      `${embeddings}.patch_embedding.weight`,
      "vision",
      -1,
      plan.vision,
      c.hidden,
      3 * c.patch ** 2,
    ),
    classToken: t.vector(`${embeddings}.class_embedding`, "vision", -1, c.hidden),
    positions: t.weight(`${embeddings}.position_embedding.weight`, "vision", -1, "f32", tokens, c.hidden),
    preNorm: norm(t, `${PREFIX}.pre_layrnorm`, -1, c.hidden),
    layers: Array.from({ length: layersUsed(c) }, (_, layer) => layerTensors(t, c, plan, layer)),
    embedded: row("embedded", c.hidden),
    x: row("x", c.hidden),
    normed: row("normed", c.hidden),
    queries: row("queries", c.hidden),
    keys: row("keys", c.hidden),
    values: row("values", c.hidden),
    branch: row("branch", c.hidden),
    inner: row("inner", c.ffn),
  };
}

function norm(t: TensorTable, name: string, layer: number, cols: number): Norm {
  return {
    weight: t.vector(`${name}.weight`, "vision", layer, cols),
    bias: t.vector(`${name}.bias`, "vision", layer, cols),
  };
}

function layerTensors(t: TensorTable, c: VisionConfig, plan: QuantPlan, layer: number): VisionLayerIds {
  const base = `${PREFIX}.encoder.layers.${layer}`;
  const linear = (name: string, rows: number, cols: number): Linear => ({
    weight: t.weight(`${base}.${name}.weight`, "vision", layer, plan.vision, rows, cols),
    bias: t.vector(`${base}.${name}.bias`, "vision", layer, rows),
  });
  return {
    norm1: norm(t, `${base}.layer_norm1`, layer, c.hidden),
    q: linear("self_attn.q_proj", c.hidden, c.hidden),
    k: linear("self_attn.k_proj", c.hidden, c.hidden),
    v: linear("self_attn.v_proj", c.hidden, c.hidden),
    out: linear("self_attn.out_proj", c.hidden, c.hidden),
    norm2: norm(t, `${base}.layer_norm2`, layer, c.hidden),
    fc1: linear("mlp.fc1", c.ffn, c.hidden),
    fc2: linear("mlp.fc2", c.hidden, c.ffn),
  };
}

/** Image tensor to hidden states in `x`, class token in row 0. */
export function visionOps(c: VisionConfig, ids: VisionIds, plan: QuantPlan, wanted: ActivationFormat): Op[] {
  const rows = patchCount(c) + 1;
  const { embedded, x } = ids;
  const { imageSize, patch } = c;
  return [
    { kind: "patchEmbed", image: ids.image, weight: ids.patchWeight, out: embedded, outRow: 1, imageSize, patch },
    { kind: "copy", x: ids.classToken, xRow: 0, out: embedded, outRow: 0, rows: 1 },
    { kind: "add", x: embedded, y: ids.positions, out: embedded, rows },
    { kind: "layernorm", x: embedded, ...ids.preNorm, out: x, rows, eps: c.normEps },
    ...ids.layers.flatMap((layer) => layerOps(c, ids, layer, activationsOf(plan, "vision", wanted))),
  ];
}

function layerOps(c: VisionConfig, ids: VisionIds, w: VisionLayerIds, activations: ActivationFormat): Op[] {
  const rows = patchCount(c) + 1;
  const { x, normed, queries, keys, values, branch, inner } = ids;
  const product = (from: TensorId, linear: Linear, out: TensorId): Op => {
    return { kind: "matmul", x: from, xRow: 0, ...linear, out, rows, activations };
  };
  const normalise = (by: Norm): Op => ({ kind: "layernorm", x, ...by, out: normed, rows, eps: c.normEps });
  return [
    normalise(w.norm1),
    product(normed, w.q, queries),
    product(normed, w.k, keys),
    product(normed, w.v, values),
    {
      kind: "attention",
      q: queries,
      k: keys,
      v: values,
      out: normed,
      rows,
      start: 0,
      context: rows,
      heads: c.heads,
      kvHeads: c.heads,
      headDim: c.hidden / c.heads,
      causal: false,
    },
    product(normed, w.out, branch),
    { kind: "add", x, y: branch, out: x, rows },
    normalise(w.norm2),
    product(normed, w.fc1, inner),
    { kind: c.activation, x: inner, out: inner, rows },
    product(inner, w.fc2, branch),
    { kind: "add", x, y: branch, out: x, rows },
  ];
}
