// ggml's 4-bit blocks of 32 columns (f16 scale, Q4_1 also an f16 offset, then 16 bytes: column i in the low nibble of
// byte i, column i + 16 in its high nibble) to "r8" records of 32 columns. Codes and halves are moved, never changed.

import { OFFSET_BIAS, OFFSET_NONE8, ceilDiv, recordBytes } from "./job";

const LOW: u32 = 0x0f0f0f0f;

/**
 * `count` rows [count, cols] (the first of them a multiple of 8) to records at `out`; `offset` OFFSET_NONE8 for Q4_0,
 * OFFSET_BIAS for Q4_1. Gives the first row with a scale that is not finite, or -1.
 */
export function repackInt4(from: usize, count: i32, cols: i32, offset: i32, out: usize): i32 {
  const groups = cols >> 5;
  const block = <usize>(offset == OFFSET_NONE8 ? 18 : 20);
  const record = <usize>recordBytes(32, offset);
  memory.fill(out, offset == OFFSET_NONE8 ? 0x88 : 0, <usize>ceilDiv(count, 8) * <usize>groups * record);
  let bad = -1;
  for (let row = 0; row < count; row++) {
    const lane = <usize>(row & 7);
    let at = from + <usize>row * <usize>groups * block;
    let to = out + <usize>(row >> 3) * <usize>groups * record;
    for (let g = 0; g < groups; g++) {
      if (!moveBlock(at, offset, to, lane) && bad < 0) bad = row;
      at += block;
      to += record;
    }
  }
  if ((count & 7) != 0) clearScales(out, count, groups, offset);
  return bad;
}

/** One block to its lane of one record; false when a scale or offset is not finite. */
// @ts-ignore: decorator
@inline
function moveBlock(at: usize, offset: i32, to: usize, lane: usize): bool {
  const scale = load<u16>(at);
  const codes = at + (offset == OFFSET_BIAS ? 4 : 2);
  const words = to + (lane >> 2 << 4) + ((lane & 3) << 2);
  const a = load<u32>(codes);
  const b = load<u32>(codes, 4);
  const c = load<u32>(codes, 8);
  const d = load<u32>(codes, 12);
  store<u32>(words, (a & LOW) | ((b & LOW) << 4));
  store<u32>(words, (c & LOW) | ((d & LOW) << 4), 32);
  store<u32>(words, ((a >> 4) & LOW) | (b & ~LOW), 64);
  store<u32>(words, ((c >> 4) & LOW) | (d & ~LOW), 96);
  store<u16>(to + (lane << 1), scale, 128);
  let good = (scale & 0x7c00) != 0x7c00;
  if (offset == OFFSET_BIAS) {
    const bias = load<u16>(at, 2);
    store<u16>(to + (lane << 1), bias, 144);
    good = good && (bias & 0x7c00) != 0x7c00;
  }
  return good;
}

/** Rows that pad the last block weigh nothing. */
function clearScales(out: usize, count: i32, groups: i32, offset: i32): void {
  const record = <usize>recordBytes(32, offset);
  for (let g: usize = 0; g < <usize>groups; g++) {
    const meta = out + (<usize>(count >> 3) * <usize>groups + g) * record + 128;
    for (let lane = count & 7; lane < 8; lane++) {
      store<u16>(meta + (lane << 1), 0);
      if (offset == OFFSET_BIAS) store<u16>(meta + (lane << 1), 0, 16);
    }
  }
}
