// Joint training of the whole model: loss and gradient of one shard of tokens and pictures.

import type { TrainBatch, TrainSequence } from "../core/batch.js";
import { type DecoderInput, decoderBackward, decoderForward } from "./decoder.js";
import type { Address } from "./kernels.js";
import { linear, linearBackward, type Span } from "./layers.js";
import type { ShardSums, TrainModel } from "./model.js";
import { projectorBackward, projectorForward } from "./projector.js";
import { type TrainState, zeroGradients } from "./state.js";
import { visionBackward, visionForward } from "./vision.js";

/** Question tokens weigh less than this, answer tokens more. */
const answerLeast = 0.5;

export interface TokenMatrix {
  readonly rows: number;
  readonly spans: readonly Span[];
  readonly tokens: Address;
  readonly positions: Address;
  readonly segments: Address;
  readonly targets: Address;
  readonly weights: Address;
}

export function placeSequences({ arena }: TrainState, sequences: readonly TrainSequence[]): TokenMatrix {
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
export function placeImageRows(
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

export function tokenSums(
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

export function answerHits(
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
