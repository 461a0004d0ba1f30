// 4-bit codes of Hugging Face checkpoints to "r8" records (core/packed.ts): a word of eight codes of one row, lowest nibble first,
// becomes four bytes with columns 0..3 in the low and 4..7 in the high nibbles.

import { recordBytes } from "./job";
import { SIMD } from "./lanes";

// How the words of a file lie, as CODE_ORDER of src/backends/wasm/records.ts.
const ROWS: i32 = 0; // [rows, cols / 8]
const STEPS: i32 = 1; // [cols / 8, rows]
/** Words of a row handled before the next rows: fewer would touch a page for each cache line. */
const TILE: i32 = 64;

// @ts-ignore: decorator
@inline
function spread(word: u32): u32 {
  let low = word & 0xffff;
  let high = word >> 16;
  low = (low | (low << 8)) & 0x00ff00ff;
  low = (low | (low << 4)) & 0x0f0f0f0f;
  high = (high | (high << 8)) & 0x00ff00ff;
  high = (high | (high << 4)) & 0x0f0f0f0f;
  return low | (high << 4);
}

// @ts-ignore: decorator
@inline
function spreadFour(words: v128): v128 {
  const pairs = i32x4.splat(0x00ff00ff);
  const nibbles = i32x4.splat(0x0f0f0f0f);
  let low = v128.and(words, i32x4.splat(0xffff));
  let high = i32x4.shr_u(words, 16);
  low = v128.and(v128.or(low, i32x4.shl(low, 8)), pairs);
  low = v128.and(v128.or(low, i32x4.shl(low, 4)), nibbles);
  high = v128.and(v128.or(high, i32x4.shl(high, 8)), pairs);
  high = v128.and(v128.or(high, i32x4.shl(high, 4)), nibbles);
  return v128.or(low, i32x4.shl(high, 4));
}

/** Codes of `rows` rows (a multiple of eight but for the last block) to the records at `out`. */
export function spreadCodes(order: i32, words: usize, rows: i32, cols: i32, group: i32, offset: i32, out: usize): void {
  const record = <usize>recordBytes(group, offset);
  const block = record * <usize>(cols / group);
  if (order == ROWS) spreadRows(words, rows, cols, group, record, block, out);
  else if (order == STEPS) spreadSteps(words, rows, cols, group, record, block, out);
  else turnWords(words, rows, cols, group, record, block, out);
}

// @ts-ignore: decorator
@inline
function stepAt(step: i32, group: i32, record: usize): usize {
  const per = group >> 3;
  return <usize>(step / per) * record + (<usize>(step % per) << 5);
}

function spreadRows(words: usize, rows: i32, cols: i32, group: i32, record: usize, block: usize, out: usize): void {
  const steps = cols >> 3;
  for (let row = 0; row < rows; row++) {
    let to = out + <usize>(row >> 3) * block + (<usize>(row & 7) << 2);
    const skip = record - (<usize>group << 2);
    for (let step = 0; step < steps; ) {
      for (const end = step + (group >> 3); step < end; step++) {
        store<u32>(to, spread(load<u32>(words)));
        words += 4;
        to += 32;
      }
      to += skip;
    }
  }
}

function spreadSteps(words: usize, rows: i32, cols: i32, group: i32, record: usize, block: usize, out: usize): void {
  for (let step = 0; step < cols >> 3; step++) {
    let to = out + stepAt(step, group, record);
    let row = 0;
    if (SIMD) {
      for (; row + 8 <= rows; row += 8) {
        v128.store(to, spreadFour(v128.load(words)));
        v128.store(to, spreadFour(v128.load(words, 16)), 16);
        words += 32;
        to += block;
      }
    }
    for (; row < rows; row++) {
      const at = out + stepAt(step, group, record) + <usize>(row >> 3) * block + (<usize>(row & 7) << 2);
      store<u32>(at, spread(load<u32>(words)));
      words += 4;
    }
  }
}

/** Nibble of AutoAWQ's words that holds output 0..7. */
// @ts-ignore: decorator
@inline
function awqNibble(lane: i32): i32 {
  return (lane & 1) << 2 | (lane >> 1);
}

/** AutoAWQ: [cols, rows / 8], eight outputs a word. 8 x 8 nibbles at a time are transposed (Warren, Hacker's Delight 7-3). */
function turnWords(words: usize, rows: i32, cols: i32, group: i32, record: usize, block: usize, out: usize): void {
  const across = rows >> 3;
  const stride = <usize>across << 2;
  for (let first = 0; first < across; first += TILE) {
    const end = min(first + TILE, across);
    for (let step = 0; step < cols >> 3; step++) {
      const inBlock = out + stepAt(step, group, record);
      let word = first;
      if (SIMD) {
        for (; word + 4 <= end; word += 4) {
          turnFour(words + <usize>(step << 3) * stride + (<usize>word << 2), stride, inBlock + <usize>word * block, block);
        }
      }
      for (; word < end; word++) {
        turnOne(words + <usize>(step << 3) * stride + (<usize>word << 2), stride, inBlock + <usize>word * block);
      }
    }
  }
}

function turnOne(from: usize, stride: usize, to: usize): void {
  for (let lane = 0; lane < 8; lane++) {
    const shift = <u32>(awqNibble(lane) << 2);
    let word: u32 = 0;
    for (let k = 0; k < 8; k++) word |= ((load<u32>(from + <usize>k * stride) >> shift) & 15) << <u32>(k << 2);
    store<u32>(to + (<usize>lane << 2), spread(word));
  }
}

/** Low parts of `a` and `b`: fields of `shift` bits, those of b in the upper places. */
// @ts-ignore: decorator
@inline
function lows(a: v128, b: v128, shift: i32, mask: v128): v128 {
  return v128.or(v128.and(a, mask), i32x4.shl(v128.and(b, mask), shift));
}

// @ts-ignore: decorator
@inline
function highs(a: v128, b: v128, shift: i32, mask: v128): v128 {
  return v128.or(v128.and(i32x4.shr_u(a, shift), mask), v128.andnot(b, mask));
}

/** Four neighbouring words of eight inputs: four blocks' worth of 32 bytes. */
function turnFour(from: usize, stride: usize, to: usize, block: usize): void {
  const m16 = i32x4.splat(0x0000ffff);
  const m8 = i32x4.splat(0x00ff00ff);
  const m4 = i32x4.splat(0x0f0f0f0f);
  const w0 = v128.load(from);
  const w1 = v128.load(from + stride);
  const w2 = v128.load(from + 2 * stride);
  const w3 = v128.load(from + 3 * stride);
  const w4 = v128.load(from + 4 * stride);
  const w5 = v128.load(from + 5 * stride);
  const w6 = v128.load(from + 6 * stride);
  const w7 = v128.load(from + 7 * stride);
  const a0 = lows(w0, w4, 16, m16), a4 = highs(w0, w4, 16, m16);
  const a1 = lows(w1, w5, 16, m16), a5 = highs(w1, w5, 16, m16);
  const a2 = lows(w2, w6, 16, m16), a6 = highs(w2, w6, 16, m16);
  const a3 = lows(w3, w7, 16, m16), a7 = highs(w3, w7, 16, m16);
  const b0 = lows(a0, a2, 8, m8), b2 = highs(a0, a2, 8, m8);
  const b1 = lows(a1, a3, 8, m8), b3 = highs(a1, a3, 8, m8);
  const b4 = lows(a4, a6, 8, m8), b6 = highs(a4, a6, 8, m8);
  const b5 = lows(a5, a7, 8, m8), b7 = highs(a5, a7, 8, m8);
  // Nibble n of all eight inputs is vector n; output lanes take them in the order 0 4 1 5 2 6 3 7.
  put(spreadFour(lows(b0, b1, 4, m4)), to, block);
  put(spreadFour(lows(b4, b5, 4, m4)), to + 4, block);
  put(spreadFour(highs(b0, b1, 4, m4)), to + 8, block);
  put(spreadFour(highs(b4, b5, 4, m4)), to + 12, block);
  put(spreadFour(lows(b2, b3, 4, m4)), to + 16, block);
  put(spreadFour(lows(b6, b7, 4, m4)), to + 20, block);
  put(spreadFour(highs(b2, b3, 4, m4)), to + 24, block);
  put(spreadFour(highs(b6, b7, 4, m4)), to + 28, block);
}

// @ts-ignore: decorator
@inline
function put(words: v128, to: usize, block: usize): void {
  v128.store32_lane(to, words, 0);
  v128.store32_lane(to + block, words, 1);
  v128.store32_lane(to + 2 * block, words, 2);
  v128.store32_lane(to + 3 * block, words, 3);
}

/**
 * Scales and offsets of the records: f16 scales (and u8 zero points or f16 offsets) of (row, group) stand at index row *
 * rowStride + (group / share) * groupStride.
 */
export function spreadScales(
  scales: usize, offsets: usize, rows: i32, cols: i32, group: i32, offset: i32,
  rowStride: i32, groupStride: i32, share: i32, out: usize,
): void {
  const record = <usize>recordBytes(group, offset);
  const groups = cols / group;
  for (let row = 0; row < rows; row++) {
    let at = out + <usize>(row >> 3) * record * <usize>groups + (<usize>group << 2);
    const lane = <usize>(row & 7);
    for (let g = 0; g < groups; g++) {
      const index = <usize>(row * rowStride + (g / share) * groupStride);
      store<u16>(at + (lane << 1), load<u16>(scales + (index << 1)));
      if (offset == 1) store<u8>(at + 16 + lane, load<u8>(offsets + index));
      else if (offset == 2) store<u16>(at + 16 + (lane << 1), load<u16>(offsets + (index << 1)));
      at += record;
    }
  }
}
