// The LLaMA decoder as ops (Touvron et al. 2023; grouped heads: Ainslie et al. 2023). Rows of an op list are
// consecutive positions from `start` on; the caches hold what came before.

import type { DecoderConfig } from "../core/config.js";
import type { ActivationFormat, Op, TensorId } from "../core/op.js";
import { activationsFor, type QuantPlan } from "./plan.js";
import type { TensorTable } from "./tensor-table.js";

export interface DecoderLayerIds {
  readonly attentionNorm: TensorId; // [hidden]
  readonly q: TensorId; // [heads * headDim, hidden]
  readonly k: TensorId; // [kvHeads * headDim, hidden]
  readonly v: TensorId; // [kvHeads * headDim, hidden]
  readonly o: TensorId; // [hidden, heads * headDim]
  readonly ffnNorm: TensorId; // [hidden]
  readonly gate: TensorId; // [ffn, hidden]
  readonly up: TensorId; // [ffn, hidden]
  readonly down: TensorId; // [hidden, ffn]
  readonly kCache: TensorId; // [context, kvHeads * headDim]
  readonly vCache: TensorId; // [context, kvHeads * headDim]
}

export interface DecoderIds {
  readonly embedding: TensorId; // [vocab, hidden]
  readonly head: TensorId; // [vocab, hidden], the embedding itself when tied
  readonly finalNorm: TensorId; // [hidden]
  readonly layers: readonly DecoderLayerIds[];
  readonly x: TensorId; // [maxRows, hidden] the residual stream
  readonly normed: TensorId; // [maxRows, hidden]
  readonly queries: TensorId; // [maxRows, heads * headDim]
  readonly keys: TensorId; // [maxRows, kvHeads * headDim]
  readonly values: TensorId; // [maxRows, kvHeads * headDim]
  readonly attended: TensorId; // [maxRows, heads * headDim]
  readonly branch: TensorId; // [maxRows, hidden]
  readonly gated: TensorId; // [maxRows, ffn]
  readonly lifted: TensorId; // [maxRows, ffn]
  readonly logits: TensorId; // [logitRows, vocab]
}

export interface DecoderSizes {
  /** Positions the caches hold. */
  readonly context: number;
  /** Most positions in one op list. */
  readonly maxRows: number;
  /** Most positions whose logits are asked for in one op list. */
  readonly logitRows: number;
}

/** Adds the decoder's tensors to the table. */
export function decoderTensors(t: TensorTable, c: DecoderConfig, plan: QuantPlan, sizes: DecoderSizes): DecoderIds {
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  const rows = sizes.maxRows;
  const embedding = t.weight("model.embed_tokens.weight", "embedding", -1, plan.embedding, c.vocab, c.hidden);
  return {
    embedding,
    layers: Array.from({ length: c.layers }, (_, layer) => layerTensors(t, c, plan, sizes, layer)),
    finalNorm: t.vector("model.norm.weight", "decoder", -1, c.hidden),
    head: c.tiedEmbeddings ? embedding : t.weight("lm_head.weight", "embedding", -1, plan.embedding, c.vocab, c.hidden),
    x: t.activation("decoder.x", "decoder", rows, c.hidden),
    normed: t.activation("decoder.normed", "decoder", rows, c.hidden),
    queries: t.activation("decoder.queries", "decoder", rows, q),
    keys: t.activation("decoder.keys", "decoder", rows, kv),
    values: t.activation("decoder.values", "decoder", rows, kv),
    attended: t.activation("decoder.attended", "decoder", rows, q),
    branch: t.activation("decoder.branch", "decoder", rows, c.hidden),
    gated: t.activation("decoder.gated", "decoder", rows, c.ffn),
    lifted: t.activation("decoder.lifted", "decoder", rows, c.ffn),
    logits: t.activation("decoder.logits", "decoder", sizes.logitRows, c.vocab),
  };
}

function layerTensors(t: TensorTable, c: DecoderConfig, plan: QuantPlan, sizes: DecoderSizes, layer: number) {
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  const base = `model.layers.${layer}`;
  const matrix = (name: string, rows: number, cols: number) =>
    t.weight(`${base}.${name}.weight`, "decoder", layer, plan.decoder, rows, cols);
  return {
    attentionNorm: t.vector(`${base}.input_layernorm.weight`, "decoder", layer, c.hidden),
    q: matrix("self_attn.q_proj", q, c.hidden),
    k: matrix("self_attn.k_proj", kv, c.hidden),
    v: matrix("self_attn.v_proj", kv, c.hidden),
    o: matrix("self_attn.o_proj", c.hidden, q),
    ffnNorm: t.vector(`${base}.post_attention_layernorm.weight`, "decoder", layer, c.hidden),
    gate: matrix("mlp.gate_proj", c.ffn, c.hidden),
    up: matrix("mlp.up_proj", c.ffn, c.hidden),
    down: matrix("mlp.down_proj", c.hidden, c.ffn),
    kCache: t.cache(`${base}.k_cache`, layer, sizes.context, kv),
    vCache: t.cache(`${base}.v_cache`, layer, sizes.context, kv),
  } satisfies DecoderLayerIds;
}

export interface DecoderPass {
  readonly config: DecoderConfig;
  readonly ids: DecoderIds;
  readonly plan: QuantPlan;
  readonly activations: ActivationFormat;
}

/** All layers over `rows` positions from `start` on; reads and leaves the residual stream in `x`. */
export function decoderOps(pass: DecoderPass, rows: number, start: number): Op[] {
  return pass.ids.layers.flatMap((layer) => [
    ...attentionOps(pass, layer, rows, start),
    ...feedForwardOps(pass, layer, rows),
  ]);
}

function attentionOps(
  { config: c, ids, plan, activations: wanted }: DecoderPass,
  w: DecoderLayerIds,
  rows: number,
  start: number,
): Op[] {
  const activations = activationsFor(plan.decoder, wanted);
  const product = (x: TensorId, weight: TensorId, out: TensorId): Op => {
    return { kind: "matmul", x, xRow: 0, weight, bias: null, out, rows, activations };
  };
  const turn = (x: TensorId, heads: number): Op => {
    return { kind: "rope", x, rows, start, heads, headDim: c.headDim, theta: c.ropeTheta, style: c.ropeStyle };
  };
  return [
    { kind: "rmsnorm", x: ids.x, xRow: 0, weight: w.attentionNorm, out: ids.normed, rows, eps: c.normEps },
    product(ids.normed, w.q, ids.queries),
    product(ids.normed, w.k, ids.keys),
    product(ids.normed, w.v, ids.values),
    turn(ids.queries, c.heads),
    turn(ids.keys, c.kvHeads),
    { kind: "kvStore", k: ids.keys, v: ids.values, kCache: w.kCache, vCache: w.vCache, rows, start },
    {
      kind: "attention",
      q: ids.queries,
      k: w.kCache,
      v: w.vCache,
      out: ids.attended,
      rows,
      start,
      context: start + rows,
      heads: c.heads,
      kvHeads: c.kvHeads,
      headDim: c.headDim,
      causal: true,
    },
    product(ids.attended, w.o, ids.branch),
    { kind: "add", x: ids.x, y: ids.branch, out: ids.x, rows },
  ];
}

function feedForwardOps(
  { config, ids, plan, activations: wanted }: DecoderPass,
  w: DecoderLayerIds,
  rows: number,
): Op[] {
  const activations = activationsFor(plan.decoder, wanted);
  const product = (x: TensorId, weight: TensorId, out: TensorId): Op => {
    return { kind: "matmul", x, xRow: 0, weight, bias: null, out, rows, activations };
  };
  return [
    { kind: "rmsnorm", x: ids.x, xRow: 0, weight: w.ffnNorm, out: ids.normed, rows, eps: config.normEps },
    product(ids.normed, w.gate, ids.gated),
    product(ids.normed, w.up, ids.lifted),
    { kind: "swiglu", gate: ids.gated, up: ids.lifted, out: ids.gated, rows },
    product(ids.gated, w.down, ids.branch),
    { kind: "add", x: ids.x, y: ids.branch, out: ids.x, rows },
  ];
}

/** Logits of `rows` positions from row `xRow` of the residual stream on, into rows 0.. of `logits`. */
export function headOps({ config, ids, plan, activations }: DecoderPass, xRow: number, rows: number): Op[] {
  return [
    { kind: "rmsnorm", x: ids.x, xRow, weight: ids.finalNorm, out: ids.normed, rows, eps: config.normEps },
    {
      kind: "matmul",
      x: ids.normed,
      xRow: 0,
      weight: ids.head,
      bias: null,
      out: ids.logits,
      rows,
      activations: activationsFor(plan.embedding, activations),
    },
  ];
}
