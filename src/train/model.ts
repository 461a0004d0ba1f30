// The three parts of the trained model, and what a shard of a step gives back besides its gradient. Gradients are sums over
// weighted targets; they are divided by the total weight of all shards later, so that shards can simply be added.

import { type Decoder, openDecoder } from "./decoder.js";
import type { LlavaConfig } from "./parameters.js";
import { openProjector, type Projector } from "./projector.js";
import type { RateOf, TrainState } from "./state.js";
import { openVisionTower, type VisionTower } from "./vision.js";

/**
 * Sums over a shard; losses are weighted. "answers" are targets of weight >= 0.5 behind a picture, or the labels in
 * pre-training.
 */
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

export function openModel(state: TrainState, config: LlavaConfig, rateOf: RateOf): TrainModel {
  return {
    config,
    rateOf,
    decoder: openDecoder(state, config.decoder, rateOf),
    tower: openVisionTower(state, config.vision, rateOf),
    projector: openProjector(state, config.projector, rateOf),
  };
}
