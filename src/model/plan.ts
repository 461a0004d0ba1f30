// Which format each kind of weight gets for a named quantization (core/scenario.ts).

import { type ActivationFormat, activationGroup, type StorageFormat } from "../core/op.js";
import type { QuantName } from "../core/scenario.js";

/** Formats of the matrices; norms, biases and embeddings of positions are always f32. */
export interface QuantPlan {
  readonly decoder: StorageFormat;
  readonly vision: StorageFormat;
  readonly projector: StorageFormat;
  /** Token embedding and head. */
  readonly embedding: StorageFormat;
}

/** Vision, projector and embeddings stay in int8 for the int4 names: they are small and 4 bits cost them most. */
export function planOf(quant: QuantName): QuantPlan {
  const rest: StorageFormat = quant === "f32" ? "f32" : "int8";
  return { decoder: quant, vision: rest, projector: rest, embedding: rest };
}

/** f32 weights are multiplied with f32 activations whatever was asked for (core/op.ts `activationGroup`). */
export function activationsFor(weight: StorageFormat, wanted: ActivationFormat): ActivationFormat {
  return activationGroup(weight) === null ? "f32" : wanted;
}
