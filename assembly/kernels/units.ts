// Which function computes a unit of which kind of job, and where its part of a thread's scratch lies.

import { TILES_BYTES } from "./attention-tiles";
import { attentionUnit } from "./attention";
import { KIND_BLOCKS_F32, KIND_BLOCKS_I8, blocksUnit } from "./blocks-matmul";
import { Job, KIND_ATTENTION, KIND_READ } from "./job";
import { PANEL_END } from "./matmul-panels";
import { matmulUnit } from "./matmul-units";
import { readUnit } from "./probe";

/** Bytes of scratch a thread needs for attention over at most `context` rows. */
export function scratchBytes(context: i32): u32 {
  return u32(PANEL_END) + max(u32(context) * 4, u32(TILES_BYTES)) + 64;
}

export function runUnit(job: Job, unit: i32, scratch: usize): void {
  switch (job.kind) {
    case KIND_ATTENTION:
      attentionUnit(job, unit, scratch + PANEL_END);
      break;
    case KIND_BLOCKS_I8:
    case KIND_BLOCKS_F32:
      blocksUnit(job, unit, scratch);
      break;
    case KIND_READ:
      readUnit(job, unit);
      break;
    default:
      matmulUnit(job, unit, scratch);
  }
}
