// int4 weights ("r8" layout of src/core/packed.ts) times one vector of int8 activations. A unit is up to eight row
// blocks that are read as eight streams, one group of each in turn, with row sums kept in memory: DRAM serves eight
// linear streams about 1.5 times as fast as one, and the code stays the body of one group.
// Integer sums are exact; the float steps are the same in every build, so all builds give the same bits.

import { bytes32, bytesWide } from "./int4-bytes";
import { dots, dots32 } from "./int4-dots";
import { pairs, pairs32 } from "./int4-pairs";
import { OFFSET_NONE8 } from "./job";
import { FUSED, RELAXED } from "./lanes";

/** acc[block * 8 + row] = sum over groups of scale * (codes . x), for `blocks` neighbouring blocks. */
export function int4I8Vector(
  weight: usize, blocks: i32, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  memory.fill(acc, 0, (<usize>blocks) << 5);
  if (RELAXED) {
    if (offset == OFFSET_NONE8 && FUSED) {
      if (group == 32) dots32(weight, blocks, groups, x, xScales, xSums, acc);
      else dots(weight, blocks, groups, group, x, xScales, xSums, acc);
      return;
    }
    if (offset == OFFSET_NONE8) {
      if (group == 32) bytes32(weight, blocks, groups, x, xScales, acc);
      else bytesWide(weight, blocks, groups, group, x, xScales, acc);
      return;
    }
  }
  if (offset == OFFSET_NONE8 && group > 16) pairs32(weight, blocks, groups, group, x, xScales, xSums, acc);
  else pairs(weight, blocks, groups, group, offset, x, xScales, xSums, acc);
}

/** Do f32 activations of few tokens go as planes of bytes (int4-planes.ts)? */
// @ts-ignore: decorator
@inline
export function takesPlanes(offset: i32): bool {
  return RELAXED && FUSED && offset == OFFSET_NONE8;
}

/** Does this build's int4 x int8 vector kernel take byte operands (spreadBytes) or pairs (spreadPairs)? */
// @ts-ignore: decorator
@inline
export function takesBytes(offset: i32): bool {
  return RELAXED && offset == OFFSET_NONE8;
}
