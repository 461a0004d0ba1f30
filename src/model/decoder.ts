// The LLaMA decoder as ops (Touvron et al. 2023; grouped heads: Ainslie et al. 2023). Rows of an op list are
// consecutive positions from `start` on; the caches hold what came before.

import type { DecoderConfig, DecoderLinear } from "../core/config.js";
import type { ActivationFormat, Op, TensorId } from "../core/op.js";
import { activationsOf, type QuantPlan } from "./plan.js";
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
  readonly biases: Partial<Record<DecoderLinear, TensorId>>; // [outputs] of the layers that have one
  readonly orders: Partial<Record<DecoderLinear, TensorId>>; // [inputs] where columns are stored in another order
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
  readonly gathered: ReadonlyMap<number, TensorId>; // by width: [maxRows, width], inputs of layers with `orders`
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
    gathered: new Map(
      widthsGathered(c, plan).map((width) => [width, t.activation(`decoder.gathered${width}`, "decoder", rows, width)]),
    ),
  };
}

/** Name in the checkpoint, outputs and inputs of each linear layer. */
function linears(c: DecoderConfig): Record<DecoderLinear, readonly [string, number, number]> {
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  return {
    q: ["self_attn.q_proj", q, c.hidden],
    k: ["self_attn.k_proj", kv, c.hidden],
    v: ["self_attn.v_proj", kv, c.hidden],
    o: ["self_attn.o_proj", c.hidden, q],
    gate: ["mlp.gate_proj", c.ffn, c.hidden],
    up: ["mlp.up_proj", c.ffn, c.hidden],
    down: ["mlp.down_proj", c.hidden, c.ffn],
  };
}

const LINEARS: readonly DecoderLinear[] = ["q", "k", "v", "o", "gate", "up", "down"];

const isGathered = (plan: QuantPlan, layer: number, name: string): boolean =>
  plan.exact?.get(`model.layers.${layer}.${name}.weight`)?.permuted ?? false;

function widthsGathered(c: DecoderConfig, plan: QuantPlan): number[] {
  const layers = Array.from({ length: plan.exact ? c.layers : 0 }, (_, layer) => layer);
  const widths = Object.values(linears(c)).filter(([name]) => layers.some((layer) => isGathered(plan, layer, name)));
  return [...new Set(widths.map(([, , width]) => width))];
}

function layerTensors(t: TensorTable, c: DecoderConfig, plan: QuantPlan, sizes: DecoderSizes, layer: number) {
  const base = `model.layers.${layer}`;
  const kv = c.kvHeads * c.headDim;
  const table = linears(c);
  const matrix = (letter: DecoderLinear) => {
    const [name, rows, cols] = table[letter];
    return t.weight(`${base}.${name}.weight`, "decoder", layer, plan.decoder, rows, cols);
  };
  const vectors = (letters: readonly DecoderLinear[], what: "bias" | "order", side: 1 | 2) =>
    Object.fromEntries(
      letters.map((letter) => {
        const name = `${base}.${table[letter][0]}.${what}`;
        return [letter, t.vector(name, "decoder", layer, table[letter][side])];
      }),
    );
  return {
    attentionNorm: t.vector(`${base}.input_layernorm.weight`, "decoder", layer, c.hidden),
    q: matrix("q"),
    k: matrix("k"),
    v: matrix("v"),
    o: matrix("o"),
    ffnNorm: t.vector(`${base}.post_attention_layernorm.weight`, "decoder", layer, c.hidden),
    gate: matrix("gate"),
    up: matrix("up"),
    down: matrix("down"),
    kCache: t.cache(`${base}.k_cache`, layer, plan.kv ?? "f32", sizes.context, kv, c.headDim),
    vCache: t.cache(`${base}.v_cache`, layer, plan.kv ?? "f32", sizes.context, kv, c.headDim),
    biases: vectors(c.biases ?? [], "bias", 1),
    orders: vectors(
      LINEARS.filter((letter) => isGathered(plan, layer, table[letter][0])),
      "order",
      2,
    ),
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

/** One linear layer: its bias, and its inputs in the order that its columns are stored in. */
function linearOps(
  { config, ids, plan, activations }: DecoderPass,
  w: DecoderLayerIds,
  letter: DecoderLinear,
  x: TensorId,
  out: TensorId,
  rows: number,
): Op[] {
  const wanted = activationsOf(plan, "decoder", activations);
  const order = w.orders[letter];
  const gathered = ids.gathered.get(linears(config)[letter][2]);
  const [weight, bias] = [w[letter], w.biases[letter] ?? null];
  const product = (from: TensorId): Op => {
    return { kind: "matmul", x: from, xRow: 0, weight, bias, out, rows, activations: wanted };
  };
  if (order === undefined || gathered === undefined) return [product(x)];
  return [{ kind: "gather", x, order, out: gathered, rows }, product(gathered)];
}

function attentionOps(pass: DecoderPass, w: DecoderLayerIds, rows: number, start: number): Op[] {
  const { config: c, ids } = pass;
  const gain = c.ropeGain === undefined ? {} : { gain: c.ropeGain };
  const factors = c.ropeFactors ? { factors: c.ropeFactors, ...gain } : {};
  const turn = (x: TensorId, heads: number): Op => {
    const { headDim, ropeTheta: theta, ropeStyle: style } = c;
    return { kind: "rope", x, rows, start, heads, headDim, theta, style, ...factors };
  };
  return [
    { kind: "rmsnorm", x: ids.x, xRow: 0, weight: w.attentionNorm, out: ids.normed, rows, eps: c.normEps },
    ...linearOps(pass, w, "q", ids.normed, ids.queries, rows),
    ...linearOps(pass, w, "k", ids.normed, ids.keys, rows),
    ...linearOps(pass, w, "v", ids.normed, ids.values, rows),
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
    ...linearOps(pass, w, "o", ids.attended, ids.branch, rows),
    { kind: "add", x: ids.x, y: ids.branch, out: ids.x, rows },
  ];
}

function feedForwardOps(pass: DecoderPass, w: DecoderLayerIds, rows: number): Op[] {
  const { config, ids } = pass;
  return [
    { kind: "rmsnorm", x: ids.x, xRow: 0, weight: w.ffnNorm, out: ids.normed, rows, eps: config.normEps },
    ...linearOps(pass, w, "gate", ids.normed, ids.gated, rows),
    ...linearOps(pass, w, "up", ids.normed, ids.lifted, rows),
    { kind: "swiglu", gate: ids.gated, up: ids.lifted, out: ids.gated, rows },
    ...linearOps(pass, w, "down", ids.gated, ids.branch, rows),
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
      activations: activationsOf(plan, "embedding", activations),
    },
  ];
}
