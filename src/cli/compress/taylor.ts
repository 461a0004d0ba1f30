// Sum of |weight x gradient| of each block by the project's trainer (Taylor criterion), where it can hold the model: of the loss that
// healing has, and of each class's own.

import { type CalibrationSet, spread, TOKEN_CLASSES, type TokenClass } from "../../compress/samples.js";
import type { ClassScores } from "../../compress/similarity.js";
import { blockTaylor } from "../../train/taylor.js";
import type { PictureSet } from "./calibset.js";
import type { Engine } from "./engine.js";
import { trainableReason } from "./trainable.js";
import { calibrationBatch, openTrainer } from "./trainer.js";

/** One backward pass keeps all its activations. */
const MOST_SAMPLES = 48;

/** What makes the scores, or why the trainer cannot. */
export function taylorOf(engine: Engine, set: CalibrationSet | null): (() => Promise<ClassScores>) | string {
  const reason = trainableReason(engine.model.config);
  if (reason !== null) return reason;
  return async () => {
    const trainer = await openTrainer(engine.platform, engine.source);
    const samples = spread((set as PictureSet).samples, MOST_SAMPLES);
    const scores = (only: TokenClass | null): number[] | null => {
      const batch = calibrationBatch(trainer.config, samples, only);
      const predicts = batch.sequences.some(({ weights }) => weights.some((weight) => weight > 0));
      return predicts ? blockTaylor(trainer.state, trainer.model, batch) : null;
    };
    const none = new Array<null>(trainer.config.decoder.layers).fill(null);
    // Pictures are given, not predicted: no loss is theirs.
    const byClass = TOKEN_CLASSES.map((name) => [name, (name === "image" ? null : scores(name)) ?? none] as const);
    return { ...Object.fromEntries(byClass), all: scores(null) ?? none };
  };
}
