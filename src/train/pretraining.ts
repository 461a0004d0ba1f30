// Pre-training of the vision tower on labels: linear heads on patches and on averaged features, dropped afterwards.

import type { TrainBatch } from "../core/batch.js";
import type { Address } from "./kernels.js";
import { linear, linearBackward } from "./layers.js";
import type { ShardSums, TrainModel } from "./model.js";
import { pretrainingHeads } from "./parameters.js";
import { type TrainState, weight, zeroGradients } from "./state.js";
import { type VisionState, visionBackward, visionForward } from "./vision.js";

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
