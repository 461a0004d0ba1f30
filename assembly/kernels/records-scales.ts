// Scales and offsets of Hugging Face checkpoints to "r8" records (core/packed.ts), and blocks whose scales stand elsewhere in
// the file put together.

import { OFFSET_BIAS, OFFSET_ZERO_U4, recordBytes } from "./job";

/**
 * Scales and offsets of the record groups first..first + count: f16 scales (and u8 zero points or f16 offsets) of (row, group)
 * stand at index row * rowStride + (group - first) / share * groupStride.
 */
export function spreadScales(
  scales: usize, offsets: usize, rows: i32, cols: i32, first: i32, count: i32, group: i32, offset: i32,
  rowStride: i32, groupStride: i32, share: i32, out: usize,
): void {
  const record = <usize>recordBytes(group, offset);
  const block = record * <usize>(cols / group);
  for (let row = 0; row < rows; row += 8) {
    let at = out + <usize>(row >> 3) * block + <usize>first * record + (<usize>group << 2);
    const lanes = min(8, rows - row);
    for (let g = 0; g < count; g++) {
      const index = row * rowStride + (g / share) * groupStride;
      if (rowStride == 1 && lanes == 8) putEight(scales, offsets, <usize>index, offset, at);
      else for (let lane = 0; lane < lanes; lane++) {
        putOne(scales, offsets, <usize>(index + lane * rowStride), <usize>lane, offset, at);
      }
      at += record;
    }
  }
}

// @ts-ignore: decorator
@inline
function putEight(scales: usize, offsets: usize, index: usize, offset: i32, at: usize): void {
  copySixteen(at, scales + (index << 1));
  if (offset == OFFSET_ZERO_U4) store<u64>(at, load<u64>(offsets + index), 16);
  else if (offset == OFFSET_BIAS) copySixteen(at + 16, offsets + (index << 1));
}

/** A call of memory.copy takes longer than so few bytes. */
// @ts-ignore: decorator
@inline
function copySixteen(out: usize, from: usize): void {
  store<u64>(out, load<u64>(from));
  store<u64>(out, load<u64>(from, 8), 8);
}

// @ts-ignore: decorator
@inline
function putOne(scales: usize, offsets: usize, index: usize, lane: usize, offset: i32, at: usize): void {
  store<u16>(at + (lane << 1), load<u16>(scales + (index << 1)));
  if (offset == OFFSET_ZERO_U4) store<u8>(at + lane, load<u8>(offsets + index), 16);
  else if (offset == OFFSET_BIAS) store<u16>(at + (lane << 1), load<u16>(offsets + (index << 1)), 16);
}

/** `count` blocks whose heads (4 or 8 bytes) and bodies (32 bytes) lie apart, each head before its body. */
export function joinBlocks(heads: usize, headBytes: i32, bodies: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) {
    if (headBytes == 8) store<u64>(out, load<u64>(heads));
    else store<u32>(out, load<u32>(heads));
    heads += <usize>headBytes;
    out += <usize>headBytes;
    copySixteen(out, bodies);
    copySixteen(out + 16, bodies + 16);
    bodies += 32;
    out += 32;
  }
}
