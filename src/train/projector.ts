// LLaVA's projector (Liu et al. 2023): linear, exact GELU, linear; vision features to embeddings of the decoder.

import type { ProjectorConfig } from "../core/config.js";
import type { Address } from "./kernels.js";
import { linear, linearBackward } from "./layers.js";
import { type RateOf, type TrainState, type Weight, weight } from "./state.js";

export interface Projector {
  readonly config: ProjectorConfig;
  readonly w1: Weight;
  readonly b1: Weight;
  readonly w2: Weight;
  readonly b2: Weight;
}

export interface ProjectorState {
  readonly features: Address;
  readonly inner: Address;
  readonly activated: Address;
  /** [rows, outputs] */
  readonly out: Address;
}

export function openProjector(state: TrainState, config: ProjectorConfig, rateOf: RateOf): Projector {
  const find = (name: string): Weight => weight(state, rateOf, `multi_modal_projector.${name}`);
  const [w1, b1, w2, b2] = ["linear_1.weight", "linear_1.bias", "linear_2.weight", "linear_2.bias"].map(find);
  return { config, w1, b1, w2, b2 };
}

/** @param features [rows, inputs] */
export function projectorForward(
  state: TrainState,
  projector: Projector,
  features: Address,
  rows: number,
): ProjectorState {
  const { inputs, outputs } = projector.config;
  const inner = linear(state, features, projector.w1, projector.b1, [rows, inputs, outputs]);
  const activated = state.arena.alloc(rows * outputs);
  state.kernels.gelu(inner, activated, rows * outputs);
  const out = linear(state, activated, projector.w2, projector.b2, [rows, outputs, outputs]);
  return { features, inner, activated, out };
}

/** Gradient of the features [rows, inputs] from dout [rows, outputs]. */
export function projectorBackward(
  state: TrainState,
  projector: Projector,
  saved: ProjectorState,
  dout: Address,
  rows: number,
): Address {
  const { inputs, outputs } = projector.config;
  const dinner = linearBackward(state, dout, saved.activated, projector.w2, projector.b2, [rows, outputs, outputs]);
  state.kernels.geluBackward(dinner, saved.inner, dinner, rows * outputs);
  return linearBackward(state, dinner, saved.features, projector.w1, projector.b1, [rows, inputs, outputs]);
}
