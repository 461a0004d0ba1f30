// A model of any source in the project's trainer, and calibration samples as its batches.

import { TOKEN_CLASSES, type TokenClass } from "../../compress/samples.js";
import type { TrainBatch, TrainSequence } from "../../core/batch.js";
import { InputError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { WriteSource } from "../../core/write.js";
import { croppedBytes } from "../../model/image.js";
import { openTrainModule, type TrainModule } from "../../train/kernels.js";
import { openModel, type TrainModel } from "../../train/model.js";
import { type LlavaConfig, parameterTable } from "../../train/parameters.js";
import { openState, type RateOf, startValues, type TrainState } from "../../train/state.js";
import type { PictureSample } from "./calibset.js";
import { floatsOf } from "./engine.js";
import { asLlava, trainableReason } from "./trainable.js";

export interface Trainer {
  readonly config: LlavaConfig;
  readonly state: TrainState;
  readonly model: TrainModel;
}

/** The canonical name (core/model.ts) of a trainer's parameter. */
export const canonicalOf = (name: string): string => name.replace(/^language_model\./, "");

/** Parameters that are in the checkpoint: not the throw-away heads and adapters. */
export const isStored = (name: string): boolean => !name.startsWith("pretraining.") && !name.startsWith("lora.");

/** Opens a model in a module. Throws InputError for one that the trainer cannot hold. */
export async function openTrainerIn(
  module: TrainModule,
  source: WriteSource,
  rank: number,
  rateOf: RateOf,
): Promise<Trainer> {
  const reason = trainableReason(source.config);
  if (reason !== null) {
    throw new InputError(source.name, "architecture", reason, "Heal by replaceme, which needs no gradients");
  }
  const config = asLlava(source.config);
  const state = openState(module, parameterTable(config, rank));
  startValues(state, 1);
  const floats = floatsOf(source);
  for (const { name, offset, count } of state.table.parameters) {
    if (!isStored(name)) continue;
    const values = await floats(canonicalOf(name));
    state.arena.floats(state.values + offset * 4, count).set(values);
  }
  return { config, state, model: openModel(state, config, rateOf) };
}

/** Everything trained, in a module of its own: what gradients of the whole model want. */
export async function openTrainer(platform: Platform, source: WriteSource): Promise<Trainer> {
  return openTrainerIn(await openTrainModule(await platform.wasm("train")), source, 0, () => 1);
}

const answer = TOKEN_CLASSES.indexOf("answer");
const text = TOKEN_CLASSES.indexOf("text");

/** Weight of a token of plain text beside an answer token's 1: text is long, answers are short. */
const TEXT_WEIGHT = 0.05;

/** Weight of a predicted token by its class. @param only the one class that counts; null: as healing weighs them */
function weightOfClass(kind: number, only: TokenClass | null): number {
  if (only !== null) return kind === TOKEN_CLASSES.indexOf(only) ? 1 : 0;
  return kind === answer ? 1 : kind === text ? TEXT_WEIGHT : 0;
}

/** One sample as a sequence: answers (and text) are predicted, pictures and prompts are given, unless another class is asked for. */
function sequenceOf({ tokens, classes }: PictureSample, image: number, only: TokenClass | null): TrainSequence {
  const { length } = tokens;
  const weightOf = (i: number) => weightOfClass(classes[i + 1], only);
  return {
    image,
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from({ length }, (_, i) => i),
    segments: new Int32Array(length),
    targets: Int32Array.from({ length }, (_, i) => (i + 1 < length && weightOf(i) > 0 ? tokens[i + 1] : -1)),
    weights: Float32Array.from({ length }, (_, i) => (i + 1 < length ? weightOf(i) : 0)),
  };
}

/** Samples as one batch. @param only the one class of tokens that is predicted; null: answers and text */
export function calibrationBatch(
  config: LlavaConfig,
  samples: readonly PictureSample[],
  only: TokenClass | null = null,
): TrainBatch {
  const size = config.vision.imageSize;
  const seen = samples.filter(({ picture }) => picture !== null);
  const pixels = new Uint8Array(Math.max(1, seen.length) * size * size * 3);
  let next = 0;
  const sequences = samples.map((sample) => {
    if (!sample.picture) return sequenceOf(sample, -1, only);
    pixels.set(croppedBytes(sample.picture(), size), next * size * size * 3);
    return sequenceOf(sample, next++, only);
  });
  return { pixels, sequences, labels: new Int32Array(6 * Math.max(1, seen.length)) };
}
