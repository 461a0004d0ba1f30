// int4 weights ("r8" layout of src/core/packed.ts) times one vector of int8 activations. A unit is up to eight row
// blocks that are read as eight streams, one group of each in turn, with row sums kept in memory: DRAM serves eight
// linear streams about 1.5 times as fast as one, and the code stays the body of one group.
// Integer sums are exact; the float steps are the same in every build, so all builds give the same bits.

import { bytes32, bytesWide } from "./int4-bytes";
import { dots, dots32 } from "./int4-dots";
import { pairs16, pairs32 } from "./int4-pairs";
import { OFFSET_NONE8 } from "./job";
import { FUSED, RELAXED } from "./lanes";

/** acc[block * 8 + row] = sum over groups of scale * (codes . x), for `blocks` neighbouring blocks. */
export function int4I8Vector(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  memory.fill(acc, 0, (<usize>blocks) << 5);
  if (RELAXED) {
    const symmetric = group == 32 && offset == OFFSET_NONE8;
    if (FUSED) {
      if (symmetric) dots32(weight, blocks, groups, x, xScales, xSums, acc);
      else dots(weight, blocks, groups, group, offset, x, xScales, xSums, acc);
    } else if (symmetric) bytes32(weight, blocks, groups, x, xScales, acc);
    else bytesWide(weight, blocks, groups, group, offset, x, xScales, xSums, acc);
    return;
  }
  if (group > 16) pairs32(weight, blocks, groups, group, offset, x, xScales, xSums, acc);
  else pairs16(weight, blocks, groups, offset, x, xScales, xSums, acc);
}
