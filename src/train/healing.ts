// Healing a pruned model (SFT): cross-entropy on answers with, if asked, hidden states and logits pulled towards the unpruned teacher's.
// Trains everything, the projector alone, or LoRA adapters: an adapter's gradient comes from the whole matrix's, dA = s B^T dW and
// dB = s dW A^T, and the matrix is kept merged, W = W0 + s B A, so forward and backward are those of plain training.

import type { TrainBatch } from "../core/batch.js";
import { type DecoderInput, decoderBackward, decoderForward } from "./decoder.js";
import { answerHits, placeImageRows, placeSequences, type TokenMatrix, tokenSums } from "./joint.js";
import type { Address } from "./kernels.js";
import { linear, linearBackward } from "./layers.js";
import type { ShardSums, TrainModel } from "./model.js";
import { updateParameters } from "./optimizer.js";
import type { Parameter } from "./parameters.js";
import { projectorBackward, projectorForward } from "./projector.js";
import { findParameter, type RateOf, type TrainState, zeroGradients } from "./state.js";
import { visionBackward, visionForward } from "./vision.js";

export type HealMode = "full" | "lora" | "projector";

/** What learns, beside the stage's rate. LoRA: the gradient of adapted matrices is wanted, but only adapters are updated. */
export function healRates(mode: HealMode): { readonly gradient: RateOf; readonly update: RateOf } {
  const unused = (name: string) =>
    name.startsWith("pretraining.") || name.startsWith("vision_tower.") || name.startsWith("lora.");
  switch (mode) {
    case "full": {
      const rate: RateOf = (name) => (unused(name) ? 0 : 1);
      return { gradient: rate, update: rate };
    }
    case "projector": {
      const rate: RateOf = (name) => (name.startsWith("multi_modal_projector.") ? 1 : 0);
      return { gradient: rate, update: rate };
    }
    case "lora": {
      const adapted = /^language_model\.model\.layers\.\d+\..*_proj\.weight$/;
      return {
        gradient: (name) => (adapted.test(name) || name.startsWith("multi_modal_projector.") ? 1 : 0),
        update: (name) => (name.startsWith("lora.") || name.startsWith("multi_modal_projector.") ? 1 : 0),
      };
    }
    default:
      return mode satisfies never;
  }
}

/** The unpruned model beside the student, in the same memory. */
export interface Teacher {
  readonly state: TrainState;
  readonly model: TrainModel;
  /** Teacher's block of each block of the student. */
  readonly kept: readonly number[];
  /** Weight of mean over blocks and tokens of |h_student - h_teacher|^2 / hidden, and of KL(teacher || student). */
  readonly hiddenWeight: number;
  readonly logitWeight: number;
}

interface Passed {
  readonly vision: ReturnType<typeof visionForward>;
  readonly projected: ReturnType<typeof projectorForward>;
  readonly imageRows: Address;
  readonly input: DecoderInput;
  readonly decoded: ReturnType<typeof decoderForward>;
  readonly logits: Address;
}

function forward(state: TrainState, model: TrainModel, batch: TrainBatch, matrix: TokenMatrix): Passed {
  const { hidden, vocab } = model.config.decoder;
  const { kernels, arena } = state;
  const vision = visionForward(state, model.tower, batch.pixels);
  const projected = projectorForward(state, model.projector, vision.features, vision.images * model.tower.patches);
  const imageRows = placeImageRows(state, model, batch.sequences, matrix);
  const x = arena.alloc(matrix.rows * hidden);
  kernels.embed(matrix.tokens, imageRows, model.decoder.embedding.value, projected.out, x, matrix.rows, hidden);
  const input: DecoderInput = { x, ...matrix };
  const decoded = decoderForward(state, model.decoder, input);
  const logits = linear(state, decoded.out, model.decoder.embedding, null, [matrix.rows, hidden, vocab]);
  return { vision, projected, imageRows, input, decoded, logits };
}

/** Loss and gradient of one shard; fills state.gradients. */
export function healGradient(
  state: TrainState,
  model: TrainModel,
  batch: TrainBatch,
  teacher: Teacher | null,
): ShardSums {
  const { kernels, arena } = state;
  const { hidden, vocab } = model.config.decoder;
  const mark = arena.mark();
  zeroGradients(state);
  const matrix = placeSequences(state, batch.sequences);
  const { rows } = matrix;
  const taught = teacher ? forward(teacher.state, teacher.model, batch, matrix) : null;
  const own = forward(state, model, batch, matrix);
  const hits = answerHits(state, batch.sequences, matrix, own.logits, vocab);
  const losses = arena.alloc(rows);
  const { targets, weights } = matrix;
  if (teacher && taught && teacher.logitWeight > 0) {
    const share = teacher.logitWeight;
    kernels.distillEntropy(own.logits, taught.logits, vocab, targets, weights, share, losses, rows);
  } else kernels.crossEntropy(own.logits, vocab, vocab, targets, weights, losses, rows);
  const sums = tokenSums(state, batch.sequences, matrix, losses);
  const { embedding } = model.decoder;
  const dout = linearBackward(state, own.logits, own.decoded.out, embedding, null, [rows, hidden, vocab]);
  let hiddenLoss = 0;
  const layers = model.config.decoder.layers;
  const pull =
    teacher && taught && teacher.hiddenWeight > 0
      ? (2 * teacher.hiddenWeight * sums.weight) / (hidden * layers * rows)
      : 0;
  const dx = decoderBackward(state, model.decoder, own.input, own.decoded, dout, (layer, output, dlayer) => {
    if (!teacher || !taught || pull === 0) return;
    const next = teacher.kept[layer] + 1;
    const goal = taught.decoded.layers[next]?.x ?? taught.decoded.x;
    hiddenLoss += (pull / 2) * kernels.hiddenGradient(output, goal, dlayer, pull, rows * hidden);
  });
  const patchRows = own.vision.images * model.tower.patches;
  const dprojected = arena.alloc(patchRows * hidden);
  kernels.zero(dprojected, patchRows * hidden);
  kernels.embedBackward(dx, matrix.tokens, own.imageRows, embedding.gradient, dprojected, rows, hidden);
  const dfeatures = projectorBackward(state, model.projector, own.projected, dprojected, patchRows);
  if (model.tower.patchMatrix.isTrained) visionBackward(state, model.tower, own.vision, dfeatures);
  arena.release(mark);
  const visionRows = own.vision.images * (model.tower.patches + 1);
  return { ...sums, loss: sums.loss + hiddenLoss, answerHits: hits, positions: rows, visionRows };
}

/** Adapters of a state whose table has them, with the matrices as they were. */
export interface Adapters {
  readonly scale: number;
  readonly matrices: readonly {
    readonly weight: Parameter;
    readonly a: Parameter;
    readonly b: Parameter;
    /** W0, [count] floats. */
    readonly original: Address;
  }[];
}

/** Call after the values of the unadapted model are in the state. @param alpha the update is alpha / rank * B A */
export function openAdapters(state: TrainState, alpha: number): Adapters {
  const { arena, kernels, table } = state;
  const matrices = table.parameters
    .filter(({ name }) => name.startsWith("lora.") && name.endsWith(".a"))
    .map((a) => {
      const weight = findParameter(table, a.name.slice("lora.".length, -".a".length));
      const original = arena.alloc(weight.count);
      kernels.copy(state.values + weight.offset * 4, original, weight.count);
      return { weight, a, b: findParameter(table, a.name.replace(/a$/, "b")), original };
    });
  return { scale: alpha / (matrices[0]?.a.shape[0] ?? 1), matrices };
}

/** Gradients of the adapters from those of their matrices, which stand summed in state.gradients. */
function adapterGradients({ kernels, values, gradients }: TrainState, { scale, matrices }: Adapters): void {
  const FULL = 0;
  for (const { weight, a, b } of matrices) {
    const [rank, inputs] = a.shape;
    const [outputs] = b.shape;
    const [dw, da, db] = [weight, a, b].map(({ offset }) => gradients + offset * 4);
    const [va, vb] = [a, b].map(({ offset }) => values + offset * 4);
    // dW is scaled once, so that both products are.
    kernels.addScaled(dw, dw, scale - 1, weight.count);
    kernels.gemm(rank, inputs, outputs, vb, rank, 1, dw, inputs, 0, da, inputs, 0, FULL);
    kernels.gemm(outputs, rank, inputs, dw, inputs, 0, va, inputs, 1, db, rank, 0, FULL);
  }
}

/** W = W0 + scale * B A for every adapted matrix. */
export function mergeAdapters({ kernels, arena, values }: TrainState, { scale, matrices }: Adapters): void {
  const FULL = 0;
  for (const { weight, a, b, original } of matrices) {
    const mark = arena.mark();
    const [rank, inputs] = a.shape;
    const [outputs] = b.shape;
    const [va, vb] = [a, b].map(({ offset }) => values + offset * 4);
    const product = arena.alloc(weight.count);
    kernels.gemm(outputs, inputs, rank, vb, rank, 0, va, inputs, 0, product, inputs, 0, FULL);
    kernels.copy(original, values + weight.offset * 4, weight.count);
    kernels.addScaled(values + weight.offset * 4, product, scale, weight.count);
    arena.release(mark);
  }
}

/** One update of what the mode trains; gives the gradient's norm. */
export function healUpdate(
  state: TrainState,
  mode: HealMode,
  adapters: Adapters | null,
  totalWeight: number,
  rate: number,
  step: number,
): number {
  if (adapters) adapterGradients(state, adapters);
  const norm = updateParameters(state, healRates(mode).update, totalWeight, rate, step);
  if (adapters) mergeAdapters(state, adapters);
  return norm;
}
