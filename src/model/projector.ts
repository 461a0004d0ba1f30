// LLaVA's projector as ops: two linear layers with a GELU between them (Liu et al. 2023, "Improved Baselines"), from the
// tower's hidden states, class token dropped, to rows of the decoder's width.

import type { ProjectorConfig } from "../core/config.js";
import type { ActivationFormat, Op, TensorId } from "../core/op.js";
import { activationsOf, type QuantPlan } from "./plan.js";
import type { TensorTable } from "./tensor-table.js";

export interface ProjectorIds {
  readonly weight1: TensorId; // [outputs, inputs]
  readonly bias1: TensorId; // [outputs]
  readonly weight2: TensorId; // [outputs, outputs]
  readonly bias2: TensorId; // [outputs]
  readonly inner: TensorId; // [patches, outputs]
  readonly features: TensorId; // [patches, outputs]
}

/** Adds the projector's tensors to the table. */
export function projectorTensors(t: TensorTable, c: ProjectorConfig, plan: QuantPlan, patches: number): ProjectorIds {
  const { inputs, outputs } = c;
  const matrix = (name: string, cols: number) =>
    t.weight(`multi_modal_projector.${name}.weight`, "projector", -1, plan.projector, outputs, cols);
  const bias = (name: string) => t.vector(`multi_modal_projector.${name}.bias`, "projector", -1, outputs);
  return {
    weight1: matrix("linear_1", inputs),
    bias1: bias("linear_1"),
    weight2: matrix("linear_2", outputs),
    bias2: bias("linear_2"),
    inner: t.activation("projector.inner", "projector", patches, outputs),
    features: t.activation("projector.features", "projector", patches, outputs),
  };
}

/** Rows 1.. of `x` (row 0 is the class token) to `features`. */
export function projectorOps(
  c: ProjectorConfig,
  ids: ProjectorIds,
  plan: QuantPlan,
  wanted: ActivationFormat,
  x: TensorId,
  patches: number,
): Op[] {
  const activations = activationsOf(plan, "projector", wanted);
  const { inner, features } = ids;
  const rows = patches;
  return [
    { kind: "matmul", x, xRow: 1, weight: ids.weight1, bias: ids.bias1, out: inner, rows, activations },
    { kind: c.activation, x: inner, out: inner, rows },
    { kind: "matmul", x: inner, xRow: 0, weight: ids.weight2, bias: ids.bias2, out: features, rows, activations },
  ];
}
