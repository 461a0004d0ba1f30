// Positions and attention of the reference backend.

import type { Op } from "../../core/op.js";
import { type Matrix, rowOf } from "./matrix.js";
import { softmaxRow } from "./norm.js";

type RopeOp = Extract<Op, { kind: "rope" }>;
type AttentionOp = Extract<Op, { kind: "attention" }>;

/** Turns pair j of each head by position * theta^(-2j / headDim) (Su et al. 2021). */
export function rope(op: RopeOp, x: Matrix): void {
  const { headDim, heads, style, gain = 1 } = op;
  for (let i = 0; i < op.rows; i++) {
    const row = rowOf(x, i);
    for (let pair = 0; pair < heads * (headDim / 2); pair++) {
      const head = Math.floor(pair / (headDim / 2));
      const j = pair % (headDim / 2);
      const angle = ((op.start + i) * op.theta ** ((-2 * j) / headDim)) / (op.factors?.[j] ?? 1);
      const first = head * headDim + (style === "half" ? j : 2 * j);
      const second = style === "half" ? first + headDim / 2 : first + 1;
      const a = row[first];
      const b = row[second];
      row[first] = gain * (a * Math.cos(angle) - b * Math.sin(angle));
      row[second] = gain * (a * Math.sin(angle) + b * Math.cos(angle));
    }
  }
}

/** softmax(q k^T / sqrt(headDim)) v; query heads share key heads in groups (Ainslie et al. 2023). */
export function attention(op: AttentionOp, q: Matrix, k: Matrix, v: Matrix, out: Matrix): void {
  const { headDim, heads, kvHeads } = op;
  for (let i = 0; i < op.rows; i++) {
    const seen = op.causal ? Math.min(op.context, op.start + i + 1) : op.context;
    const result = new Float32Array(heads * headDim);
    for (let head = 0; head < heads; head++) {
      const at = Math.floor(head / (heads / kvHeads)) * headDim;
      const query = rowOf(q, i).subarray(head * headDim, (head + 1) * headDim);
      const scores = Array.from({ length: seen }, (_, key) => {
        const keys = rowOf(k, key).subarray(at, at + headDim);
        return query.reduce((sum, value, d) => sum + value * keys[d], 0) / Math.sqrt(headDim);
      });
      const shares = softmaxRow(scores);
      for (let d = 0; d < headDim; d++) {
        result[head * headDim + d] = shares.reduce((sum, share, key) => sum + share * rowOf(v, key)[at + d], 0);
      }
    }
    rowOf(out, i).set(result);
  }
}
