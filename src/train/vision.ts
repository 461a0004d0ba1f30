// The CLIP vision tower (Radford et al. 2021) of the trainer, forward and backward: patches, class token, pre-norm
// layers with quick-GELU. Its features are the last layer's patch rows, without post-layernorm.

import type { VisionConfig } from "../core/config.js";
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

interface Affine {
  readonly w: Weight;
  readonly b: Weight;
}

interface VisionLayer {
  readonly norm1: Affine;
  readonly qkv: Affine;
  readonly out: Affine;
  readonly norm2: Affine;
  readonly fc1: Affine;
  readonly fc2: Affine;
}

export interface VisionTower {
  readonly config: VisionConfig;
  /** Patches of a picture. */
  readonly patches: number;
  readonly classToken: Weight;
  readonly patchMatrix: Weight;
  readonly positions: Weight;
  readonly preNorm: Affine;
  readonly layers: readonly VisionLayer[];
}

interface LayerState {
  readonly x: Address;
  readonly normed: Address;
  readonly moments: Address;
  readonly qkv: Address;
  readonly attention: AttentionState;
  readonly middle: Address;
  readonly middleNormed: Address;
  readonly middleMoments: Address;
  readonly inner: Address;
  readonly activated: Address;
}

export interface VisionState {
  readonly images: number;
  readonly spans: readonly Span[];
  readonly pixelRows: Address;
  readonly embedded: Address;
  readonly moments: Address;
  readonly layers: readonly LayerState[];
  /** [images * patches, hidden] */
  readonly features: Address;
}

export function openVisionTower(state: TrainState, config: VisionConfig, rateOf: RateOf): VisionTower {
  const root = "vision_tower.vision_model";
  const affine = (...names: string[]): Affine => ({
    w: weight(state, rateOf, ...names.map((name) => `${root}.${name}.weight`)),
    b: weight(state, rateOf, ...names.map((name) => `${root}.${name}.bias`)),
  });
  const layers = Array.from({ length: config.layers }, (_, i) => {
    const at = `encoder.layers.${i}`;
    return {
      norm1: affine(`${at}.layer_norm1`),
      qkv: affine(`${at}.self_attn.q_proj`, `${at}.self_attn.k_proj`, `${at}.self_attn.v_proj`),
      out: affine(`${at}.self_attn.out_proj`),
      norm2: affine(`${at}.layer_norm2`),
      fc1: affine(`${at}.mlp.fc1`),
      fc2: affine(`${at}.mlp.fc2`),
    };
  });
  return {
    config,
    patches: (config.imageSize / config.patch) ** 2,
    classToken: weight(state, rateOf, `${root}.embeddings.class_embedding`),
    patchMatrix: weight(state, rateOf, `${root}.embeddings.patch_embedding.weight`),
    positions: weight(state, rateOf, `${root}.embeddings.position_embedding.weight`),
    preNorm: affine("pre_layrnorm"),
    layers,
  };
}

function layernorm(
  { kernels, arena }: TrainState,
  { config }: VisionTower,
  x: Address,
  { w, b }: Affine,
  rows: number,
): [Address, Address] {
  const [normed, moments] = [arena.alloc(rows * config.hidden), arena.alloc(rows * 2)];
  kernels.layernorm(x, w.value, b.value, normed, moments, rows, config.hidden, config.normEps);
  return [normed, moments];
}

function headShape({ heads, hidden }: VisionConfig): { heads: number; kvHeads: number; headDim: number } {
  return { heads, kvHeads: heads, headDim: hidden / heads };
}

function layerForward(
  state: TrainState,
  tower: VisionTower,
  spans: readonly Span[],
  rows: number,
  x: Address,
  layer: VisionLayer,
): [Address, LayerState] {
  const { hidden, ffn } = tower.config;
  const [normed, moments] = layernorm(state, tower, x, layer.norm1, rows);
  const qkv = linear(state, normed, layer.qkv.w, layer.qkv.b, [rows, hidden, 3 * hidden]);
  const attention = attentionForward(state, qkv, rows, spans, 0, headShape(tower.config));
  const middle = linearResidual(state, attention.out, layer.out.w, layer.out.b, x, [rows, hidden, hidden]);
  const [middleNormed, middleMoments] = layernorm(state, tower, middle, layer.norm2, rows);
  const inner = linear(state, middleNormed, layer.fc1.w, layer.fc1.b, [rows, hidden, ffn]);
  const activated = state.arena.alloc(rows * ffn);
  state.kernels.quickGelu(inner, activated, rows * ffn);
  const out = linearResidual(state, activated, layer.fc2.w, layer.fc2.b, middle, [rows, ffn, hidden]);
  return [out, { x, normed, moments, qkv, attention, middle, middleNormed, middleMoments, inner, activated }];
}

/**
 * @param pixels bytes [images, size, size, 3]
 */
export function visionForward(state: TrainState, tower: VisionTower, pixels: Uint8Array): VisionState {
  const { kernels, arena } = state;
  const { imageSize, patch, hidden } = tower.config;
  const images = pixels.length / (imageSize * imageSize * 3);
  const inputs = 3 * patch * patch;
  const rows = images * (tower.patches + 1);
  const spans = Array.from({ length: images }, (_, i) => ({
    start: i * (tower.patches + 1),
    length: tower.patches + 1,
  }));
  const pixelRows = arena.alloc(images * tower.patches * inputs);
  kernels.patchify(arena.place(pixels), pixelRows, images, imageSize, patch);
  const patchRows = linear(state, pixelRows, tower.patchMatrix, null, [images * tower.patches, inputs, hidden]);
  const embedded = arena.alloc(rows * hidden);
  kernels.assemble(patchRows, tower.classToken.value, tower.positions.value, embedded, images, tower.patches, hidden);
  let [x, moments] = layernorm(state, tower, embedded, tower.preNorm, rows);
  const first = moments;
  const layers = tower.layers.map((layer) => {
    const [out, saved] = layerForward(state, tower, spans, rows, x, layer);
    x = out;
    return saved;
  });
  const features = arena.alloc(images * tower.patches * hidden);
  kernels.dropClass(x, features, images, tower.patches, hidden);
  return { images, spans, pixelRows, embedded, moments: first, layers, features };
}

/** dx [rows, hidden] holds the gradient of the layer's output and becomes that of its input. */
function layerBackward(
  state: TrainState,
  tower: VisionTower,
  spans: readonly Span[],
  rows: number,
  dx: Address,
  layer: VisionLayer,
  saved: LayerState,
): void {
  const { kernels, arena } = state;
  const { hidden, ffn } = tower.config;
  const mark = arena.mark();
  const dinner = linearBackward(state, dx, saved.activated, layer.fc2.w, layer.fc2.b, [rows, ffn, hidden]);
  kernels.quickGeluBackward(dinner, saved.inner, dinner, rows * ffn);
  const dmiddle = linearBackward(state, dinner, saved.middleNormed, layer.fc1.w, layer.fc1.b, [rows, hidden, ffn]);
  layernormBackward(state, dmiddle, saved.middle, layer.norm2, saved.middleMoments, dx, rows, hidden);
  const dattention = linearBackward(state, dx, saved.attention.out, layer.out.w, layer.out.b, [rows, hidden, hidden]);
  const shape = headShape(tower.config);
  const dqkv = attentionBackward(state, dattention, saved.qkv, saved.attention, rows, spans, false, shape);
  const dnormed = linearBackward(state, dqkv, saved.normed, layer.qkv.w, layer.qkv.b, [rows, hidden, 3 * hidden]);
  layernormBackward(state, dnormed, saved.x, layer.norm1, saved.moments, dx, rows, hidden);
  arena.release(mark);
}

function layernormBackward(
  { kernels }: TrainState,
  dy: Address,
  x: Address,
  { w, b }: Affine,
  moments: Address,
  dx: Address,
  rows: number,
  hidden: number,
): void {
  kernels.layernormBackward(dy, x, w.value, moments, dx, w.gradient, b.gradient, rows, hidden);
}

/** Adds to all gradients of the tower, from dfeatures [images * patches, hidden]. */
export function visionBackward(state: TrainState, tower: VisionTower, saved: VisionState, dfeatures: Address): void {
  const { kernels, arena } = state;
  const { hidden, patch } = tower.config;
  const { images, spans } = saved;
  const rows = images * (tower.patches + 1);
  const dx = arena.alloc(rows * hidden);
  kernels.dropClassBackward(dfeatures, dx, images, tower.patches, hidden);
  for (let i = tower.layers.length - 1; i >= 0; i--) {
    layerBackward(state, tower, spans, rows, dx, tower.layers[i], saved.layers[i]);
  }
  const dembedded = arena.alloc(rows * hidden);
  kernels.zero(dembedded, rows * hidden);
  layernormBackward(state, dx, saved.embedded, tower.preNorm, saved.moments, dembedded, rows, hidden);
  const drows = arena.alloc(images * tower.patches * hidden);
  const { classToken, positions, patchMatrix } = tower;
  kernels.assembleBackward(dembedded, drows, classToken.gradient, positions.gradient, images, tower.patches, hidden);
  if (patchMatrix.isTrained) {
    const inputs = 3 * patch * patch;
    kernels.linearWeightGradient(drows, saved.pixelRows, patchMatrix.gradient, images * tower.patches, inputs, hidden);
  }
}
