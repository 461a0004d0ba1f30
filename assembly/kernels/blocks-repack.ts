// ggml's 4-bit blocks of 32 columns (f16 scale, Q4_1 also an f16 offset, then 16 bytes: column i in the low nibble of
// byte i, column i + 16 in its high nibble) to "r8" records of 32 columns. Codes and halves are moved, never changed.

import { OFFSET_BIAS, OFFSET_NONE8, ceilDiv, recordBytes } from "./job";
import { SIMD } from "./lanes";
import { highHalves, highPairs, lowHalves, lowPairs } from "./squares";

const LOW: u32 = 0x0f0f0f0f;

/**
 * `count` rows [count, cols] (the first of them a multiple of 8) to records at `out`; `offset` OFFSET_NONE8 for Q4_0,
 * OFFSET_BIAS for Q4_1. Gives the first row with a scale that is not finite, or -1.
 */
export function repackInt4(from: usize, count: i32, cols: i32, offset: i32, out: usize): i32 {
  const groups = cols >> 5;
  const block = <usize>(offset == OFFSET_NONE8 ? 18 : 20);
  const record = <usize>recordBytes(32, offset);
  const rowBytes = <usize>groups * block;
  const whole = SIMD ? count & ~7 : 0;
  let bad = -1;
  if (SIMD) {
    for (let row = 0; row < whole; row += 8) {
      let at = from + <usize>row * rowBytes;
      let to = out + <usize>(row >> 3) * <usize>groups * record;
      for (let g = 0; g < groups; g++) {
        if (!moveEight(at, rowBytes, offset, to) && bad < 0) bad = row + firstOdd(at, rowBytes, offset);
        at += block;
        to += record;
      }
    }
  }
  const last = out + <usize>(whole >> 3) * <usize>groups * record;
  memory.fill(last, offset == OFFSET_NONE8 ? 0x88 : 0, <usize>ceilDiv(count - whole, 8) * <usize>groups * record);
  for (let row = whole; row < count; row++) {
    const lane = <usize>(row & 7);
    let at = from + <usize>row * rowBytes;
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

/** Blocks of eight rows to one record; false when a scale or offset is not finite. */
function moveEight(at: usize, rowBytes: usize, offset: i32, to: usize): bool {
  const codes = at + (offset == OFFSET_BIAS ? 4 : 2);
  moveFour(codes, rowBytes, to);
  moveFour(codes + 4 * rowBytes, rowBytes, to + 16);
  let odd: u32 = 0;
  for (let lane: usize = 0; lane < 8; lane++) {
    const scale = load<u16>(at + lane * rowBytes);
    store<u16>(to + (lane << 1), scale, 128);
    odd |= (scale & 0x7c00) + 0x400;
    if (offset == OFFSET_BIAS) {
      const bias = load<u16>(at + lane * rowBytes, 2);
      store<u16>(to + (lane << 1), bias, 144);
      odd |= (bias & 0x7c00) + 0x400;
    }
  }
  // Only the exponent of infinities and NaN carries into the sign's place.
  return (odd & 0x8000) == 0;
}

/** Codes of four rows: bytes 0-3, 4-7, 8-11 and 12-15 of each become four vectors of one word a row. */
function moveFour(codes: usize, rowBytes: usize, to: usize): void {
  const low = i32x4.splat(LOW);
  const r0 = v128.load(codes);
  const r1 = v128.load(codes + rowBytes);
  const r2 = v128.load(codes + 2 * rowBytes);
  const r3 = v128.load(codes + 3 * rowBytes);
  const x = lowPairs(r0, r1), y = lowPairs(r2, r3);
  const z = highPairs(r0, r1), w = highPairs(r2, r3);
  const a = lowHalves(x, y), b = highHalves(x, y);
  const c = lowHalves(z, w), d = highHalves(z, w);
  v128.store(to, v128.or(v128.and(a, low), i32x4.shl(v128.and(b, low), 4)));
  v128.store(to, v128.or(v128.and(c, low), i32x4.shl(v128.and(d, low), 4)), 32);
  v128.store(to, v128.or(v128.and(i32x4.shr_u(a, 4), low), v128.andnot(b, low)), 64);
  v128.store(to, v128.or(v128.and(i32x4.shr_u(c, 4), low), v128.andnot(d, low)), 96);
}

/** The first of eight rows whose block has a scale or offset that is not finite. */
function firstOdd(at: usize, rowBytes: usize, offset: i32): i32 {
  for (let lane = 0; lane < 8; lane++) {
    const scale = load<u16>(at + <usize>lane * rowBytes);
    const bias = offset == OFFSET_BIAS ? load<u16>(at + <usize>lane * rowBytes, 2) : 0;
    if ((scale & 0x7c00) == 0x7c00 || (bias & 0x7c00) == 0x7c00) return lane;
  }
  return 7;
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
