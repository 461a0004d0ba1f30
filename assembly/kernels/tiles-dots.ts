// The byte tile of matrix times matrix where products and their sums are one instruction (FUSED in lanes.ts): eight rows (lane =
// row) times six tokens, or four. Such a dot takes five cycles and two begin in each, so it takes ten sums that do not wait for
// each other; twelve, two vectors of codes and one of activations are what V8's 15 registers hold. Panels hold signed codes less
// their zero points (unpackSigned), so that symmetric weights and zero points cost the same; activations lie as bytes larger by
// 128, which the start of each row's sum takes away again: one plane of bytes (int8), or three (f32 grade, planes.ts), the
// highest first. A tile's tokens lie side by side (packTokens): one address serves all.

import { MASKS } from "./int4-scales";
import { dotWords, madd, shiftByte } from "./lanes";
import { addOffsets, addScaled } from "./tiles";

/** By how much the bytes of an int8 code and of a number in three planes are larger. */
export const BYTE_SHIFT: i32 = 128;
export const PLANES_SHIFT: i32 = 128 * 65793;

/** Most tokens of a tile. */
export const TILE_TOKENS: i32 = 6;

/** Tokens of the next tile when `left` are to come, an even number from 4 on: sixes, and one or two fours. */
// @ts-ignore: decorator
@inline
export function tileTokens(left: i32): i32 {
  return left % 6 == 0 ? 6 : 4;
}

const FLIP: usize = memory.data<u32>([0x80808080, 0x80808080, 0x80808080, 0x80808080]);

/** int8 codes of `tokens` (an even number) tokens, `stride` bytes each, to bytes [stride / 4][tokens][4] larger by 128. */
export function packTokens(codes: usize, stride: i32, tokens: i32, out: usize): void {
  const flip = v128.load(FLIP);
  const step = <usize>tokens << 2;
  for (const end = out + step; out < end; out += 8) {
    let to = out;
    for (const last = codes + stride; codes < last; codes += 16) {
      const a = v128.xor(v128.load(codes), flip);
      const b = v128.xor(v128.load(codes + stride), flip);
      const low = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const high = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      v128.store64_lane(to, low, 0);
      v128.store64_lane(to + step, low, 1);
      v128.store64_lane(to + 2 * step, high, 0);
      v128.store64_lane(to + 3 * step, high, 1);
      to += 4 * step;
    }
    codes += stride;
  }
}

/**
 * `groups` groups of signed codes [k / 4][8][4] times x [k / 4][tokens][4]. starts: i32 [groups][8], scales f32 [groups][8],
 * xScales f32 [groups][tokens]; offsets f32 [groups][8] with xSums i32 [groups][tokens], or 0; acc f32 [tokens][8] is added to.
 */
export function tileDots(
  tokens: i32, panel: usize, groups: i32, group: i32, x: usize, acc: usize, starts: usize, scales: usize, xScales: usize,
  offsets: usize, xSums: usize,
): void {
  if (tokens == 6) tile(true, false, panel, groups, group, x, acc, starts, scales, xScales, offsets, xSums);
  else tile(false, false, panel, groups, group, x, acc, starts, scales, xScales, offsets, xSums);
}

/**
 * The same for three planes: x per piece of at most 32 columns [3][k / 4][tokens][4], starts i32 [pieces][8]; short: f32
 * [tokens][8] of the thread, where this call's sums begin at 0, so that f32 rounds them less.
 */
export function tilePlanes(
  tokens: i32, panel: usize, groups: i32, group: i32, x: usize, acc: usize, starts: usize, scales: usize, xScales: usize,
  offsets: usize, xSums: usize, short: usize,
): void {
  const bytes = <usize>tokens << 5;
  memory.fill(short, 0, bytes);
  if (tokens == 6) tile(true, true, panel, groups, group, x, short, starts, scales, xScales, offsets, xSums);
  else tile(false, true, panel, groups, group, x, short, starts, scales, xScales, offsets, xSums);
  for (const end = acc + bytes; acc < end; acc += 16) {
    v128.store(acc, f32x4.add(v128.load(acc), v128.load(short)));
    short += 16;
  }
}

// @ts-ignore: decorator
@inline
function tile(
  six: bool, planes: bool, panel: usize, groups: i32, group: i32, x: usize, acc: usize, starts: usize, scales: usize,
  xScales: usize, offsets: usize, xSums: usize,
): void {
  const tokens: usize = six ? 6 : 4;
  const piece = <usize>(planes ? min(group, 32) : group) << 3;
  const last = panel + (<usize>(groups * group) << 3);
  let left = group;
  while (panel < last) {
    const next = panel + piece;
    let a0 = planes ? i32x4.splat(0) : v128.load(starts);
    let b0 = planes ? a0 : v128.load(starts, 16);
    let a1 = a0;
    let b1 = b0;
    let a2 = a0;
    let b2 = b0;
    let a3 = a0;
    let b3 = b0;
    let a4 = a0;
    let b4 = b0;
    let a5 = a0;
    let b5 = b0;
    let plane = 0;
    while (true) {
      for (let from = panel; from < next; from += six ? 64 : 32) {
        let low = v128.load(from);
        let high = v128.load(from, 16);
        let four = v128.load32_splat(x);
        a0 = dotWords(low, four, a0);
        b0 = dotWords(high, four, b0);
        four = v128.load32_splat(x, 4);
        a1 = dotWords(low, four, a1);
        b1 = dotWords(high, four, b1);
        four = v128.load32_splat(x, 8);
        a2 = dotWords(low, four, a2);
        b2 = dotWords(high, four, b2);
        four = v128.load32_splat(x, 12);
        a3 = dotWords(low, four, a3);
        b3 = dotWords(high, four, b3);
        if (six) {
          four = v128.load32_splat(x, 16);
          a4 = dotWords(low, four, a4);
          b4 = dotWords(high, four, b4);
          four = v128.load32_splat(x, 20);
          a5 = dotWords(low, four, a5);
          b5 = dotWords(high, four, b5);
        }
        if (six) {
          low = v128.load(from, 32);
          high = v128.load(from, 48);
          four = v128.load32_splat(x, 24);
          a0 = dotWords(low, four, a0);
          b0 = dotWords(high, four, b0);
          four = v128.load32_splat(x, 28);
          a1 = dotWords(low, four, a1);
          b1 = dotWords(high, four, b1);
          four = v128.load32_splat(x, 32);
          a2 = dotWords(low, four, a2);
          b2 = dotWords(high, four, b2);
          four = v128.load32_splat(x, 36);
          a3 = dotWords(low, four, a3);
          b3 = dotWords(high, four, b3);
          four = v128.load32_splat(x, 40);
          a4 = dotWords(low, four, a4);
          b4 = dotWords(high, four, b4);
          four = v128.load32_splat(x, 44);
          a5 = dotWords(low, four, a5);
          b5 = dotWords(high, four, b5);
        }
        x += six ? 48 : 16;
      }
      if (!planes || ++plane == 3) break;
      const up = v128.load(MASKS, 112);
      a0 = shiftByte(a0, up);
      b0 = shiftByte(b0, up);
      a1 = shiftByte(a1, up);
      b1 = shiftByte(b1, up);
      a2 = shiftByte(a2, up);
      b2 = shiftByte(b2, up);
      a3 = shiftByte(a3, up);
      b3 = shiftByte(b3, up);
      if (six) {
        a4 = shiftByte(a4, up);
        b4 = shiftByte(b4, up);
        a5 = shiftByte(a5, up);
        b5 = shiftByte(b5, up);
      }
    }
    panel = next;
    const lowScale = v128.load(scales);
    const highScale = v128.load(scales, 16);
    if (planes) {
      const lowStart = v128.load(starts);
      const highStart = v128.load(starts, 16);
      add(acc, i32x4.add(a0, lowStart), i32x4.add(b0, highStart), lowScale, highScale, v128.load32_splat(xScales));
      add(acc + 32, i32x4.add(a1, lowStart), i32x4.add(b1, highStart), lowScale, highScale, v128.load32_splat(xScales, 4));
      add(acc + 64, i32x4.add(a2, lowStart), i32x4.add(b2, highStart), lowScale, highScale, v128.load32_splat(xScales, 8));
      add(acc + 96, i32x4.add(a3, lowStart), i32x4.add(b3, highStart), lowScale, highScale, v128.load32_splat(xScales, 12));
      if (six) {
        add(acc + 128, i32x4.add(a4, lowStart), i32x4.add(b4, highStart), lowScale, highScale, v128.load32_splat(xScales, 16));
        add(acc + 160, i32x4.add(a5, lowStart), i32x4.add(b5, highStart), lowScale, highScale, v128.load32_splat(xScales, 20));
      }
    } else {
      addScaled(acc, a0, b0, lowScale, highScale, v128.load32_splat(xScales));
      addScaled(acc + 32, a1, b1, lowScale, highScale, v128.load32_splat(xScales, 4));
      addScaled(acc + 64, a2, b2, lowScale, highScale, v128.load32_splat(xScales, 8));
      addScaled(acc + 96, a3, b3, lowScale, highScale, v128.load32_splat(xScales, 12));
      if (six) {
        addScaled(acc + 128, a4, b4, lowScale, highScale, v128.load32_splat(xScales, 16));
        addScaled(acc + 160, a5, b5, lowScale, highScale, v128.load32_splat(xScales, 20));
      }
    }
    starts += 32;
    if (planes) {
      left -= 32;
      if (left > 0) continue;
      left = group;
    }
    if (offsets) {
      addOffsets(acc, offsets, xScales, xSums, <i32>tokens);
      offsets += 32;
      xSums += tokens << 2;
    }
    scales += 32;
    xScales += tokens << 2;
  }
}

/** addScaled at f32 grade: scales first, one rounding for product and sum. */
// @ts-ignore: decorator
@inline
function add(to: usize, low: v128, high: v128, lowScale: v128, highScale: v128, xScale: v128): void {
  v128.store(to, madd(f32x4.mul(lowScale, xScale), f32x4.convert_i32x4_s(low), v128.load(to)));
  v128.store(to, madd(f32x4.mul(highScale, xScale), f32x4.convert_i32x4_s(high), v128.load(to, 16)), 16);
}
