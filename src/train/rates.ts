// Which parameters learn in which stage, and how fast beside the stage's rate.

import type { RateOf } from "./state.js";

/** Pre-training: the vision tower and its throw-away heads. */
export const visionStageRates: RateOf = (name) =>
  (name.startsWith("vision_tower.") || name.startsWith("pretraining.")) && !isUnused(name) ? 1 : 0;

/** Joint training: everything but the heads; the pre-trained tower at 0.3 of the rate. */
export const jointStageRates: RateOf = (name) => {
  if (name.startsWith("pretraining.") || isUnused(name)) return 0;
  return name.startsWith("vision_tower.") ? 0.3 : 1;
};

/** Part of every CLIP checkpoint, but the features are taken before it. */
function isUnused(name: string): boolean {
  return name.startsWith("vision_tower.vision_model.post_layernorm.");
}
