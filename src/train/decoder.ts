// The LLaMA decoder (Touvron et al. 2023) of the trainer: forward pass that saves what backward needs, and backward.
// Works on one token matrix [rows, hidden] in which all sequences of a shard stand one after another.

import type { DecoderConfig } from "../core/config.js";
import type { Address } from "./kernels.js";
import {
  type AttentionState,
  attentionBackward,
  attentionForward,
  linear,
  linearBackward,
  linearResidual,
  type Span,
} from "./layers.js";
import { type RateOf, type TrainState, type Weight, weight } from "./state.js";

interface DecoderLayer {
  readonly inputNorm: Weight;
  /** [(heads + 2 * kvHeads) * headDim, hidden] */
  readonly qkv: Weight;
  readonly o: Weight;
  readonly postNorm: Weight;
  /** [2 * ffn, hidden] */
  readonly gateUp: Weight;
  readonly down: Weight;
}

export interface Decoder {
  readonly config: DecoderConfig;
  /** [vocab, hidden], also the output matrix. */
  readonly embedding: Weight;
  readonly layers: readonly DecoderLayer[];
  readonly norm: Weight;
  readonly ropeTable: Address;
}

export interface DecoderInput {
  /** [rows, hidden] */
  readonly x: Address;
  readonly rows: number;
  readonly spans: readonly Span[];
  /** i32 [rows] each. */
  readonly positions: Address;
  readonly segments: Address;
}

interface LayerState {
  readonly x: Address;
  readonly normed: Address;
  readonly inverse: Address;
  readonly qkv: Address;
  readonly attention: AttentionState;
  readonly middle: Address;
  readonly middleNormed: Address;
  readonly middleInverse: Address;
  readonly gateUp: Address;
  readonly activated: Address;
}

export interface DecoderState {
  readonly layers: readonly LayerState[];
  readonly x: Address;
  readonly inverse: Address;
  /** [rows, hidden] after the last norm. */
  readonly out: Address;
}

export function openDecoder(state: TrainState, config: DecoderConfig, rateOf: RateOf): Decoder {
  const find = (...names: string[]): Weight =>
    weight(state, rateOf, ...names.map((name) => `language_model.model.${name}.weight`));
  const half = config.headDim / 2;
  const ropeTable = state.arena.alloc(config.maxContext * half * 2);
  state.kernels.ropeTable(ropeTable, config.maxContext, half, config.ropeTheta);
  const layers = Array.from({ length: config.layers }, (_, i) => {
    const at = `layers.${i}`;
    return {
      inputNorm: find(`${at}.input_layernorm`),
      qkv: find(`${at}.self_attn.q_proj`, `${at}.self_attn.k_proj`, `${at}.self_attn.v_proj`),
      o: find(`${at}.self_attn.o_proj`),
      postNorm: find(`${at}.post_attention_layernorm`),
      gateUp: find(`${at}.mlp.gate_proj`, `${at}.mlp.up_proj`),
      down: find(`${at}.mlp.down_proj`),
    };
  });
  return { config, embedding: find("embed_tokens"), layers, norm: find("norm"), ropeTable };
}

function rmsnorm(
  { kernels, arena }: TrainState,
  { config }: Decoder,
  x: Address,
  w: Weight,
  rows: number,
): [Address, Address] {
  const [normed, inverse] = [arena.alloc(rows * config.hidden), arena.alloc(rows)];
  kernels.rmsnorm(x, w.value, normed, inverse, rows, config.hidden, config.normEps);
  return [normed, inverse];
}

/** Columns of the joined q, k, v matrix. */
const qkvWidth = ({ heads, kvHeads, headDim }: DecoderConfig): number => (heads + 2 * kvHeads) * headDim;

function layerForward(
  state: TrainState,
  decoder: Decoder,
  input: DecoderInput,
  x: Address,
  layer: DecoderLayer,
): [Address, LayerState] {
  const { config } = decoder;
  const { hidden, heads, kvHeads, headDim, ffn } = config;
  const { rows, spans } = input;
  const [normed, inverse] = rmsnorm(state, decoder, x, layer.inputNorm, rows);
  const qkv = linear(state, normed, layer.qkv, null, [rows, hidden, qkvWidth(config)]);
  state.kernels.rope(qkv, qkvWidth(config), input.positions, decoder.ropeTable, rows, heads + kvHeads, headDim, 1);
  const attention = attentionForward(state, qkv, rows, spans, input.segments, config);
  const middle = linearResidual(state, attention.out, layer.o, null, x, [rows, heads * headDim, hidden]);
  const [middleNormed, middleInverse] = rmsnorm(state, decoder, middle, layer.postNorm, rows);
  const gateUp = linear(state, middleNormed, layer.gateUp, null, [rows, hidden, 2 * ffn]);
  const activated = state.arena.alloc(rows * ffn);
  state.kernels.swiglu(gateUp, activated, rows, ffn);
  const out = linearResidual(state, activated, layer.down, null, middle, [rows, ffn, hidden]);
  return [out, { x, normed, inverse, qkv, attention, middle, middleNormed, middleInverse, gateUp, activated }];
}

export function decoderForward(state: TrainState, decoder: Decoder, input: DecoderInput): DecoderState {
  let x = input.x;
  const layers = decoder.layers.map((layer) => {
    const [out, saved] = layerForward(state, decoder, input, x, layer);
    x = out;
    return saved;
  });
  const [out, inverse] = rmsnorm(state, decoder, x, decoder.norm, input.rows);
  return { layers, x, inverse, out };
}

/** dx [rows, hidden] holds the gradient of the layer's output and becomes that of its input. */
function layerBackward(
  state: TrainState,
  decoder: Decoder,
  input: DecoderInput,
  dx: Address,
  layer: DecoderLayer,
  saved: LayerState,
): void {
  const { kernels, arena } = state;
  const { config } = decoder;
  const { hidden, heads, kvHeads, headDim, ffn } = config;
  const { rows, spans } = input;
  const mark = arena.mark();
  const dactivated = linearBackward(state, dx, saved.activated, layer.down, null, [rows, ffn, hidden]);
  const dgateUp = arena.alloc(rows * 2 * ffn);
  kernels.swigluBackward(dactivated, saved.gateUp, dgateUp, rows, ffn);
  const dmiddle = linearBackward(state, dgateUp, saved.middleNormed, layer.gateUp, null, [rows, hidden, 2 * ffn]);
  const { postNorm, inputNorm } = layer;
  kernels.rmsnormBackward(
    dmiddle,
    saved.middle,
    postNorm.value,
    saved.middleInverse,
    dx,
    postNorm.gradient,
    rows,
    hidden,
  );
  const dattention = linearBackward(state, dx, saved.attention.out, layer.o, null, [rows, heads * headDim, hidden]);
  const dqkv = attentionBackward(state, dattention, saved.qkv, saved.attention, rows, spans, true, config);
  kernels.rope(dqkv, qkvWidth(config), input.positions, decoder.ropeTable, rows, heads + kvHeads, headDim, -1);
  const dnormed = linearBackward(state, dqkv, saved.normed, layer.qkv, null, [rows, hidden, qkvWidth(config)]);
  kernels.rmsnormBackward(dnormed, saved.x, inputNorm.value, saved.inverse, dx, inputNorm.gradient, rows, hidden);
  arena.release(mark);
}

/**
 * Gradient of the decoder's input [rows, hidden], freshly allocated, from dout [rows, hidden].
 * @param onLayer may add to the gradient dx of a layer's output before it flows on
 */
export function decoderBackward(
  state: TrainState,
  decoder: Decoder,
  input: DecoderInput,
  saved: DecoderState,
  dout: Address,
  onLayer?: (layer: number, output: Address, dx: Address) => void,
): Address {
  const { hidden } = decoder.config;
  const { rows } = input;
  const dx = state.arena.alloc(rows * hidden);
  state.kernels.zero(dx, rows * hidden);
  const { value, gradient } = decoder.norm;
  state.kernels.rmsnormBackward(dout, saved.x, value, saved.inverse, dx, gradient, rows, hidden);
  for (let i = decoder.layers.length - 1; i >= 0; i--) {
    onLayer?.(i, saved.layers[i + 1]?.x ?? saved.x, dx);
    layerBackward(state, decoder, input, dx, decoder.layers[i], saved.layers[i]);
  }
  return dx;
}
