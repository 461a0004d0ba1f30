// A product with so many weight rows that its workgroups exceed what a device takes in one dimension.

import type { Op, StorageFormat } from "../../src/core/op.js";
import { type Case, caseBuilder } from "./case.js";
import { SUMS } from "./tolerances.js";

/** One column of weights, `rows` of them, by `tokens` of one number each. */
export function manyRows(format: StorageFormat, tokens: number, rows: number): Case {
  const b = caseBuilder(tokens);
  const [weight, x, out] = [b.weight(format, rows, 1), b.input(tokens, 1), b.input(tokens, rows)];
  const ops: Op[] = [{ kind: "matmul", x, xRow: 0, weight, bias: null, out, rows: tokens, activations: "f32" }];
  return b.done(`${format}, ${rows} rows of weights by ${tokens}`, SUMS, ops, out);
}
