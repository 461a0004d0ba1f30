// One shard of one optimizer step: loss and gradient of a batch, for both stages. Gradients are sums over weighted targets;
// they are divided by the total weight of all shards later, so that shards can simply be added.

import type { TrainBatch, TrainSequence } from "../core/batch.js";
import { type Decoder, type DecoderInput, decoderBackward, decoderForward, openDecoder } from "./decoder.js";
import type { Address } from "./kernels.js";
import type { Span } from "./layers.js";
import { linear, linearBackward } from "./layers.js";
import { type LlavaConfig, pretrainingHeads } from "./parameters.js";
import { openProjector, type Projector, projectorBackward, projectorForward } from "./projector.js";
import { type RateOf, type TrainState, weight, zeroGradients } from "./state.js";
import { openVisionTower, type VisionState, type VisionTower, visionBackward, visionForward } from "./vision.js";

/** Sums over a shard; losses are weighted. "answers" are targets of weight >= 0.5 behind a picture (or labels in stage "vision"). */
export interface ShardSums {
  readonly loss: number;
  readonly weight: number;
  readonly textLoss: number;
  readonly textWeight: number;
  readonly answerLoss: number;
  readonly answerWeight: number;
  readonly answerHits: number;
  /** Decoder positions, and rows of the vision tower (class tokens included). */
  readonly positions: number;
  readonly visionRows: number;
}

export interface TrainModel {
  readonly config: LlavaConfig;
  readonly rateOf: RateOf;
  readonly decoder: Decoder;
  readonly tower: VisionTower;
  readonly projector: Projector;
}

const answerLeast = 0.5;

export function openModel(state: TrainState, config: LlavaConfig, rateOf: RateOf): TrainModel {
  return {
    config,
    rateOf,
    decoder: openDecoder(state, config.decoder, rateOf),
    tower: openVisionTower(state, config.vision, rateOf),
    projector: openProjector(state, config.projector, rateOf),
  };
}

interface TokenMatrix {
  readonly rows: number;
  readonly spans: readonly Span[];
  readonly tokens: Address;
  readonly positions: Address;
  readonly segments: Address;
  readonly targets: Address;
  readonly weights: Address;
}

function placeSequences({ arena }: TrainState, sequences: readonly TrainSequence[]): TokenMatrix {
  const rows = sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
  let start = 0;
  const spans = sequences.map(({ tokens: { length } }) => {
    start += length;
    return { start: start - length, length };
  });
  const join = (field: "tokens" | "positions" | "segments" | "targets"): Address => {
    const all = new Int32Array(rows);
    sequences.forEach((sequence, i) => {
      all.set(sequence[field], spans[i].start);
    });
    return arena.place(all);
  };
  const weights = new Float32Array(rows);
  sequences.forEach((sequence, i) => {
    weights.set(sequence.weights, spans[i].start);
  });
  return {
    rows,
    spans,
    tokens: join("tokens"),
    positions: join("positions"),
    segments: join("segments"),
    targets: join("targets"),
    weights: arena.place(weights),
  };
}

/** i32 [rows]: which feature row replaces a token, -1 for none. */
function placeImageRows(
  state: TrainState,
  model: TrainModel,
  sequences: readonly TrainSequence[],
  matrix: TokenMatrix,
): Address {
  const rows = state.arena.alloc(matrix.rows);
  matrix.spans.forEach(({ start, length }, i) => {
    const first = sequences[i].image < 0 ? -1 : sequences[i].image * model.tower.patches;
    state.kernels.imageRows(matrix.tokens + start * 4, rows + start * 4, length, model.config.imageTokenId, first);
  });
  return rows;
}

function tokenSums(
  { kernels }: TrainState,
  sequences: readonly TrainSequence[],
  matrix: TokenMatrix,
  losses: Address,
): Pick<ShardSums, "loss" | "weight" | "textLoss" | "textWeight" | "answerLoss" | "answerWeight"> {
  const sum = (wanted: boolean, least: number, isLoss: boolean): number =>
    matrix.spans.reduce((total, { start, length }, i) => {
      if (sequences[i].image < 0 !== wanted) return total;
      const values = isLoss ? losses + start * 4 : 0;
      return total + kernels.weightedSum(values, matrix.weights + start * 4, least, length);
    }, 0);
  const [textLoss, textWeight] = [sum(true, 0, true), sum(true, 0, false)];
  return {
    loss: textLoss + sum(false, 0, true),
    weight: textWeight + sum(false, 0, false),
    textLoss,
    textWeight,
    answerLoss: sum(false, answerLeast, true),
    answerWeight: sum(false, answerLeast, false),
  };
}

function answerHits(
  { kernels }: TrainState,
  sequences: readonly TrainSequence[],
  matrix: TokenMatrix,
  logits: Address,
  vocab: number,
): number {
  return matrix.spans.reduce((total, { start, length }, i) => {
    if (sequences[i].image < 0) return total;
    const [targets, weights] = [matrix.targets + start * 4, matrix.weights + start * 4];
    return total + kernels.hits(logits + start * vocab * 4, vocab, vocab, targets, weights, answerLeast, length);
  }, 0);
}

/** Joint training: tokens and pictures through the whole model. Fills state.gradients. */
export function jointGradient(state: TrainState, model: TrainModel, batch: TrainBatch): ShardSums {
  const { kernels, arena } = state;
  const { hidden, vocab } = model.config.decoder;
  const { sequences } = batch;
  const mark = arena.mark();
  zeroGradients(state);
  const vision = visionForward(state, model.tower, batch.pixels);
  const patchRows = vision.images * model.tower.patches;
  const projected = projectorForward(state, model.projector, vision.features, patchRows);
  const matrix = placeSequences(state, sequences);
  const imageRows = placeImageRows(state, model, sequences, matrix);
  const x = arena.alloc(matrix.rows * hidden);
  const { embedding } = model.decoder;
  kernels.embed(matrix.tokens, imageRows, embedding.value, projected.out, x, matrix.rows, hidden);
  const input: DecoderInput = { x, ...matrix };
  const decoded = decoderForward(state, model.decoder, input);
  const logits = linear(state, decoded.out, embedding, null, [matrix.rows, hidden, vocab]);
  const hits = answerHits(state, sequences, matrix, logits, vocab);
  const losses = arena.alloc(matrix.rows);
  kernels.crossEntropy(logits, vocab, vocab, matrix.targets, matrix.weights, losses, matrix.rows);
  const sums = tokenSums(state, sequences, matrix, losses);
  const dout = linearBackward(state, logits, decoded.out, embedding, null, [matrix.rows, hidden, vocab]);
  const dx = decoderBackward(state, model.decoder, input, decoded, dout);
  const dprojected = arena.alloc(patchRows * hidden);
  kernels.zero(dprojected, patchRows * hidden);
  kernels.embedBackward(dx, matrix.tokens, imageRows, embedding.gradient, dprojected, matrix.rows, hidden);
  const dfeatures = projectorBackward(state, model.projector, projected, dprojected, patchRows);
  visionBackward(state, model.tower, vision, dfeatures);
  arena.release(mark);
  return { ...sums, answerHits: hits, positions: matrix.rows, visionRows: vision.images * (model.tower.patches + 1) };
}

type Head = (typeof pretrainingHeads)[number];

/** A digit's rows weigh 1 together, and so do all rows of a picture's places. */
const rowWeight = ({ labels }: Head, side: number): number => ((labels?.side ?? 1) / side) ** 2;

function placeLabels(
  { kernels }: TrainState,
  head: Head,
  labels: Address,
  side: number,
  images: number,
  targets: Address,
  weights: Address,
): void {
  const share = rowWeight(head, side);
  if (head.labels === null) kernels.placeTargets(targets, weights, share, images, side * side);
  else {
    const { first, side: labelSide } = head.labels;
    kernels.labelTargets(labels, 6, first, labelSide, side, share, targets, weights, images);
  }
}

/** One classification head on averaged features: adds to dfeatures and to the head's gradients. */
function headGradient(
  state: TrainState,
  model: TrainModel,
  vision: VisionState,
  labels: Address,
  dfeatures: Address,
  head: Head,
): { loss: number; weight: number; hits: number } {
  const { kernels, arena } = state;
  const { hidden } = model.config.vision;
  const { images } = vision;
  const patchSide = Math.sqrt(model.tower.patches);
  const side = head.cells === 0 ? patchSide : head.cells;
  const rows = images * side * side;
  const [w, b] = [weight(state, model.rateOf, `${head.name}.weight`), weight(state, model.rateOf, `${head.name}.bias`)];
  const pooled = arena.alloc(rows * hidden);
  kernels.cellMean(vision.features, pooled, images, patchSide, side, hidden);
  const logits = linear(state, pooled, w, b, [rows, hidden, head.rows]);
  const [targets, weights, losses] = [arena.alloc(rows), arena.alloc(rows), arena.alloc(rows)];
  placeLabels(state, head, labels, side, images, targets, weights);
  const hits = kernels.hits(logits, head.rows, head.classes, targets, weights, 0, rows) * rowWeight(head, side);
  kernels.crossEntropy(logits, head.rows, head.classes, targets, weights, losses, rows);
  const dpooled = linearBackward(state, logits, pooled, w, b, [rows, hidden, head.rows]);
  kernels.cellMeanBackward(dpooled, dfeatures, images, patchSide, side, hidden);
  return {
    loss: kernels.weightedSum(losses, weights, 0, rows),
    weight: kernels.weightedSum(0, weights, 0, rows),
    hits,
  };
}

/** Pre-training of the vision tower on labels [images, 6]. Fills state.gradients. */
export function visionGradient(state: TrainState, model: TrainModel, batch: TrainBatch): ShardSums {
  const { kernels, arena } = state;
  const mark = arena.mark();
  zeroGradients(state);
  const vision = visionForward(state, model.tower, batch.pixels);
  const labels = arena.place(batch.labels);
  const features = vision.images * model.tower.patches * model.config.vision.hidden;
  const dfeatures = arena.alloc(features);
  kernels.zero(dfeatures, features);
  const parts = pretrainingHeads.map((head) => headGradient(state, model, vision, labels, dfeatures, head));
  visionBackward(state, model.tower, vision, dfeatures);
  arena.release(mark);
  const total = (field: "loss" | "weight" | "hits"): number => parts.reduce((sum, part) => sum + part[field], 0);
  const [loss, weightTotal] = [total("loss"), total("weight")];
  return {
    loss,
    weight: weightTotal,
    textLoss: 0,
    textWeight: 0,
    answerLoss: loss,
    answerWeight: weightTotal,
    answerHits: total("hits"),
    positions: 0,
    visionRows: vision.images * (model.tower.patches + 1),
  };
}
