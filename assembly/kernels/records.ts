// 4-bit codes of Hugging Face checkpoints to "r8" records (core/packed.ts): a word of eight codes of one row, lowest nibble first,
// becomes four bytes with columns 0..3 in the low and 4..7 in the high nibbles.

import { recordBytes } from "./job";
import { SIMD } from "./lanes";
import { highHalves, highPairs, lowHalves, lowPairs } from "./squares";

// How the words of a file lie, as CODE_ORDER of src/backends/wasm/records.ts.
const ROWS: i32 = 0; // [rows, cols / 8]
const STEPS: i32 = 1; // [cols / 8, rows]
// In memory: as constants they would be written out at each of their uses.
const MASKS: usize = memory.data<u32>([
  0x0000ffff, 0x0000ffff, 0x0000ffff, 0x0000ffff,
  0x00ff00ff, 0x00ff00ff, 0x00ff00ff, 0x00ff00ff,
  0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f,
]);
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

function spreadFour(words: v128): v128 {
  const pairs = v128.load(MASKS, 16);
  const nibbles = v128.load(MASKS, 32);
  let low = v128.and(words, v128.load(MASKS));
  let high = i32x4.shr_u(words, 16);
  low = v128.and(v128.or(low, i32x4.shl(low, 8)), pairs);
  low = v128.and(v128.or(low, i32x4.shl(low, 4)), nibbles);
  high = v128.and(v128.or(high, i32x4.shl(high, 8)), pairs);
  high = v128.and(v128.or(high, i32x4.shl(high, 4)), nibbles);
  return v128.or(low, i32x4.shl(high, 4));
}

/**
 * Codes of steps (eight columns each) first..first + count of `rows` rows (a multiple of eight but for the last block) to the
 * records of a [rows, cols] matrix at `out`; `words` holds those steps only.
 */
export function spreadCodes(
  order: i32, words: usize, rows: i32, cols: i32, first: i32, count: i32, group: i32, offset: i32, out: usize,
): void {
  const record = <usize>recordBytes(group, offset);
  const block = record * <usize>(cols / group);
  if (order == ROWS) spreadRows(words, rows, first, count, group, record, block, out);
  else if (order == STEPS) spreadSteps(words, rows, first, count, group, record, block, out);
  else turnWords(words, rows, first, count, group, record, block, out);
}

// @ts-ignore: decorator
@inline
function stepAt(step: i32, group: i32, record: usize): usize {
  const per = group >> 3;
  return <usize>(step / per) * record + (<usize>(step % per) << 5);
}

function spreadRows(
  words: usize, rows: i32, first: i32, count: i32, group: i32, record: usize, block: usize, out: usize,
): void {
  const stride = <usize>count << 2;
  let row = 0;
  if (SIMD) {
    for (; row + 4 <= rows; row += 4) {
      const to = out + <usize>(row >> 3) * block + (<usize>(row & 7) << 2);
      let step = 0;
      for (; step + 4 <= count; step += 4) {
        turnRows(words + <usize>row * stride + (<usize>step << 2), stride, first + step, group, record, to);
      }
      for (; step < count; step++) {
        for (let r = 0; r < 4; r++) putRow(words, row + r, step, stride, first, group, record, block, out);
      }
    }
  }
  for (; row < rows; row++) {
    for (let step = 0; step < count; step++) putRow(words, row, step, stride, first, group, record, block, out);
  }
}

function putRow(
  words: usize, row: i32, step: i32, stride: usize, first: i32, group: i32, record: usize, block: usize, out: usize,
): void {
  const at = out + <usize>(row >> 3) * block + (<usize>(row & 7) << 2) + stepAt(first + step, group, record);
  store<u32>(at, spread(load<u32>(words + <usize>row * stride + (<usize>step << 2))));
}

/** Four steps of four rows: a transposed square of words. */
// @ts-ignore: decorator
@inline
function turnRows(from: usize, stride: usize, step: i32, group: i32, record: usize, to: usize): void {
  putSquare(
    v128.load(from), v128.load(from + stride), v128.load(from + 2 * stride), v128.load(from + 3 * stride),
    to + stepAt(step, group, record), to + stepAt(step + 1, group, record),
    to + stepAt(step + 2, group, record), to + stepAt(step + 3, group, record),
  );
}

function spreadSteps(
  words: usize, rows: i32, first: i32, count: i32, group: i32, record: usize, block: usize, out: usize,
): void {
  for (let step = first; step < first + count; step++) {
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
function turnWords(
  words: usize, rows: i32, first: i32, count: i32, group: i32, record: usize, block: usize, out: usize,
): void {
  const across = rows >> 3;
  const stride = <usize>across << 2;
  for (let from = 0; from < across; from += TILE) {
    const end = min(from + TILE, across);
    for (let step = 0; step < count; step++) {
      const inBlock = out + stepAt(first + step, group, record);
      const line = words + <usize>(step << 3) * stride;
      let word = from;
      if (SIMD) {
        for (; word + 4 <= end; word += 4) {
          turnFour(line + (<usize>word << 2), stride, inBlock + <usize>word * block, block);
        }
      }
      for (; word < end; word++) turnOne(line + (<usize>word << 2), stride, inBlock + <usize>word * block);
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
  const m16 = v128.load(MASKS);
  const m8 = v128.load(MASKS, 16);
  const m4 = v128.load(MASKS, 32);
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
  const one = to + block, two = one + block, three = two + block;
  putSquare(lows(b0, b1, 4, m4), lows(b4, b5, 4, m4), highs(b0, b1, 4, m4), highs(b4, b5, 4, m4), to, one, two, three);
  putSquare(
    lows(b2, b3, 4, m4), lows(b6, b7, 4, m4), highs(b2, b3, 4, m4), highs(b6, b7, 4, m4),
    to + 16, one + 16, two + 16, three + 16,
  );
}

/** Lane i of the four vectors, one a row, goes to address i. */
function putSquare(x: v128, y: v128, z: v128, w: v128, p: usize, q: usize, r: usize, s: usize): void {
  const a = spreadFour(x), b = spreadFour(y), c = spreadFour(z), d = spreadFour(w);
  const ab = lowPairs(a, b), cd = lowPairs(c, d);
  const ba = highPairs(a, b), dc = highPairs(c, d);
  v128.store(p, lowHalves(ab, cd));
  v128.store(q, highHalves(ab, cd));
  v128.store(r, lowHalves(ba, dc));
  v128.store(s, highHalves(ba, dc));
}
