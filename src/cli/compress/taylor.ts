// Sum of |weight x gradient| of each block by the project's trainer (Taylor criterion), where it can hold the model.

import { type CalibrationSet, spread } from "../../compress/samples.js";
import { blockTaylor } from "../../train/taylor.js";
import type { PictureSet } from "./calibset.js";
import type { Engine } from "./engine.js";
import { trainableReason } from "./trainable.js";
import { calibrationBatch, openTrainer } from "./trainer.js";

/** One backward pass keeps all its activations. */
const MOST_SAMPLES = 48;

/** What makes the scores, or why the trainer cannot. */
export function taylorOf(engine: Engine, set: CalibrationSet | null): (() => Promise<number[]>) | string {
  const reason = trainableReason(engine.model.config);
  if (reason !== null) return reason;
  return async () => {
    const trainer = await openTrainer(engine.platform, engine.source);
    const samples = spread((set as PictureSet).samples, MOST_SAMPLES);
    return blockTaylor(trainer.state, trainer.model, calibrationBatch(trainer.config, samples));
  };
}
