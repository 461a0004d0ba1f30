// Which function computes a unit of a task, and how much scratch a thread needs for all of them.

import { attendUnit } from "./attend";
import { awqScratch, clipUnit, fakeLossUnit, fakeOutputUnit } from "./awq";
import { invertUnit, panelUnit, SLAB, solveUnit, updateUnit } from "./cholesky";
import { panelBytes } from "./gemm";
import { gptqScratch, gptqUnit } from "./gptq";
import { blockGramUnit, crossUnit, gramUnit } from "./gram";
import { foldScratch, foldUnit, transformUnit } from "./heal";
import { rowsUnit } from "./rows";
import * as ops from "./task";
import { Task } from "./task";

/** Bytes for matrices of at most `cols` columns, samples of at most `tokens` tokens, groups of at most `group`. */
export function scratchBytes(cols: i32, tokens: i32, group: i32): i32 {
  const awq = awqScratch(cols, tokens, group) * 4;
  const solve = cols * SLAB * 8;
  return panelBytes() + max(max(max(awq, solve), max(gptqScratch(128), foldScratch())), tokens * tokens * 4) + 256;
}

export function runUnit(own: Task, unit: i32, scratch: usize): void {
  switch (own.op) {
    case ops.GRAM: return gramUnit(own, unit);
    case ops.CROSS: return crossUnit(own, unit);
    case ops.BLOCK_GRAM: return blockGramUnit(own, unit);
    case ops.CHOLESKY_PANEL: return panelUnit(own, unit);
    case ops.CHOLESKY_UPDATE: return updateUnit(own, unit);
    case ops.SOLVE: return solveUnit(own, unit);
    case ops.INVERT: return invertUnit(own, unit, scratch);
    case ops.FAKE_LOSS: return fakeLossUnit(own, unit, scratch);
    case ops.FAKE_OUTPUT: return fakeOutputUnit(own, unit, scratch);
    case ops.ATTEND: return attendUnit(own, unit, scratch);
    case ops.CLIP: return clipUnit(own, unit, scratch);
    case ops.ROUND:
    case ops.HQQ: return rowsUnit(own, unit);
    case ops.GPTQ: return gptqUnit(own, unit, scratch);
    case ops.FOLD: return foldUnit(own, unit, scratch);
    default: return transformUnit(own, unit);
  }
}
