// Which format each kind of weight gets for a named quantization (core/scenario.ts).

import type { Model } from "../core/model.js";
import { type ActivationFormat, activationGroup, type KvFormat, type StorageFormat } from "../core/op.js";
import type { QuantName } from "../core/scenario.js";
import type { StoredMatrix } from "../core/stored.js";

/** Formats of the matrices; norms, biases and embeddings of positions are always f32. */
export interface QuantPlan {
  readonly decoder: StorageFormat;
  readonly vision: StorageFormat;
  readonly projector: StorageFormat;
  /** Token embedding and head. */
  readonly embedding: StorageFormat;
  /** Keys and values; absent: f32. */
  readonly kv?: KvFormat;
  /** Matrices that stay as their file holds them, by canonical name; they win over the formats above. */
  readonly exact?: ReadonlyMap<string, ExactForm> | undefined;
}

export type ExactForm = Pick<StoredMatrix, "format" | "offset" | "permuted">;

/**
 * Vision, projector and embeddings stay in int8 for the int4 names: they are small and 4 bits cost them most.
 * @param stored what the file holds quantized, which `stored` keeps; what it holds as floats becomes f32
 */
export function planOf(quant: QuantName, stored?: ReadonlyMap<string, StoredMatrix>, kv: KvFormat = "f32"): QuantPlan {
  if (quant === "stored")
    return { decoder: "f32", vision: "f32", projector: "f32", embedding: "f32", exact: stored, kv };
  const rest: StorageFormat = quant === "f32" ? "f32" : "int8";
  return { decoder: quant, vision: rest, projector: rest, embedding: rest, kv };
}

/** Whether a file's matrices are below half precision: then nothing is gained by rounding them again. */
export function holdsQuantized({ stored, tensors }: Pick<Model, "stored" | "tensors">): boolean {
  return [...(stored?.keys() ?? [])].some((name) => !tensors.has(name));
}

/** Precision of activations beside a part's matrices. Of mixed forms those that are f32 meet f32 activations anyway. */
export function activationsOf(
  plan: QuantPlan,
  part: "decoder" | "vision" | "projector" | "embedding",
  wanted: ActivationFormat,
): ActivationFormat {
  return plan.exact && plan.exact.size > 0 ? wanted : activationsFor(plan[part], wanted);
}

/** f32 weights are multiplied with f32 activations whatever was asked for (core/op.ts `activationGroup`). */
export function activationsFor(weight: StorageFormat, wanted: ActivationFormat): ActivationFormat {
  return activationGroup(weight) === null ? "f32" : wanted;
}
