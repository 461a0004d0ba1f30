// Matrix products as kernel calls: one alone, or several of the same activations with the op that makes these.

import { InputError } from "../../core/errors.js";
import type { ActivationFormat, Op } from "../../core/op.js";
import { BLOCK_TYPE, KIND, OFFSET, SOURCE } from "./kernels.js";
import { type Place, placeOf, rowsAt, type State, widthOf } from "./state.js";

export type Product = Extract<Op, { kind: "matmul" }>;
export type Source = Extract<Op, { kind: "rmsnorm" | "swiglu" }>;

/** Runs one matmul op. Throws InputError for shapes that do not fit. */
export function product(state: State, op: Product): void {
  const weight = checkedWeight(state, op);
  const [x, out] = [rowsAt(state, op.x, op.xRow, op.rows), rowsAt(state, op.out, 0, op.rows)];
  multiply(state, weight, biasOf(state, op), x, out, widthOf(state, op.out), op.rows, op.activations);
}

/** Runs `count` matmul ops from `ops[at]` on as one job; `source`, where there is one, makes their x on the way. Weights in blocks cannot. */
export function productsTogether(
  state: State,
  ops: readonly Op[],
  at: number,
  count: number,
  source: Source | null,
): void {
  const { kernels } = state;
  for (let i = 1; i < count; i++) {
    const op = ops[at + i] as Product;
    const { spec, at: codes, scalesAt } = checkedWeight(state, op);
    const out = rowsAt(state, op.out, 0, op.rows);
    kernels.setPart(i, codes, scalesAt, biasOf(state, op), out, widthOf(state, op.out), spec.rows);
  }
  if (source) nameSource(state, source);
  const op = ops[at] as Product;
  const weight = checkedWeight(state, op);
  const { rows, cols } = weight.spec;
  const [x, out] = [rowsAt(state, op.x, op.xRow, op.rows), rowsAt(state, op.out, 0, op.rows)];
  // biome-ignore format: one argument a line hides which belong together
  kernels.matmulParts(
    kindOf(weight, op.activations), weight.at, weight.scalesAt, biasOf(state, op), x, out, widthOf(state, op.out), rows, cols,
    op.rows, weight.group, OFFSET[weight.offset], state.prepared, count, source ? SOURCE[source.kind] : SOURCE.none,
  );
}

function nameSource(state: State, op: Source): void {
  if (op.kind === "rmsnorm") {
    state.kernels.setSource(rowsAt(state, op.x, op.xRow, op.rows), rowsAt(state, op.weight, 0, 1), op.eps);
  } else state.kernels.setSource(rowsAt(state, op.gate, 0, op.rows), rowsAt(state, op.up, 0, op.rows), 0);
}

const biasOf = (state: State, { bias }: Product): number => (bias === null ? 0 : rowsAt(state, bias, 0, 1));

function checkedWeight(state: State, op: Product): Place {
  const weight = placeOf(state, op.weight);
  const { spec } = weight;
  const [from, to] = [widthOf(state, op.x), widthOf(state, op.out)];
  if (from === spec.cols && to === spec.rows) return weight;
  const problem = `is [${spec.rows}, ${spec.cols}], but x has ${from} columns and out ${to}`;
  throw new InputError(spec.name, "shape", problem, "Check the model's config against its tensors");
}

/** The kernels' number of a weight format (not in blocks) and an activation format. */
export function kindOf({ spec, group }: Place, activations: ActivationFormat): number {
  const int8 = activations === "int8";
  if (group) return int8 ? KIND.int4I8 : KIND.int4F32;
  if (spec.format === "int8") return int8 ? KIND.int8I8 : KIND.int8F32;
  return KIND.f32;
}

/** out = W x (+ bias) at addresses. */
export function multiply(
  { kernels, prepared }: State,
  weight: Place,
  bias: number,
  x: number,
  out: number,
  outStride: number,
  tokens: number,
  activations: ActivationFormat,
): void {
  const { at, scalesAt, group, blocks } = weight;
  const { rows, cols } = weight.spec;
  if (blocks) {
    const int8 = activations === "int8" ? 1 : 0;
    kernels.matmulBlocks(BLOCK_TYPE[blocks], at, bias, x, out, outStride, rows, cols, tokens, int8, prepared);
    return;
  }
  const [kind, offset] = [kindOf(weight, activations), OFFSET[weight.offset]];
  kernels.matmul(kind, at, scalesAt, bias, x, out, outStride, rows, cols, tokens, group, offset, prepared);
}
