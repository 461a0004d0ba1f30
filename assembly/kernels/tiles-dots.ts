// The byte tile of matrix times matrix where products and their sums are one instruction (FUSED in lanes.ts): eight rows (lane =
// row) times four tokens. Panels hold signed codes less their zero points (unpackSigned), so that symmetric weights and zero
// points cost the same; activations lie as bytes larger by 128, which the start of each row's sum takes away again: one plane of
// bytes (int8), or three (f32 grade, planes.ts), the highest first. Four tokens side by side (packTokens): one address serves all.

import { dotWords, madd } from "./lanes";
import { addOffsets, addScaled } from "./tiles";

/** By how much the bytes of an int8 code and of a number in three planes are larger. */
export const BYTE_SHIFT: i32 = 128;
export const PLANES_SHIFT: i32 = 128 * 65793;

const FLIP: usize = memory.data<u32>([0x80808080, 0x80808080, 0x80808080, 0x80808080]);

/** int8 codes [4][stride] of four tokens to bytes [stride / 4][4][4] larger by 128; `stride` is a multiple of 16. */
export function packTokens(codes: usize, stride: i32, out: usize): void {
  const line = <usize>stride;
  const flip = v128.load(FLIP);
  for (let k = 0; k < stride; k += 16) {
    const a = v128.xor(v128.load(codes), flip);
    const b = v128.xor(v128.load(codes + line), flip);
    const c = v128.xor(v128.load(codes + 2 * line), flip);
    const d = v128.xor(v128.load(codes + 3 * line), flip);
    const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<i32>(ab, cd, 0, 1, 4, 5));
    v128.store(out, v128.shuffle<i32>(ab, cd, 2, 3, 6, 7), 16);
    v128.store(out, v128.shuffle<i32>(ef, gh, 0, 1, 4, 5), 32);
    v128.store(out, v128.shuffle<i32>(ef, gh, 2, 3, 6, 7), 48);
    codes += 16;
    out += 64;
  }
}

/**
 * `groups` groups of signed codes [k / 4][8][4] times x [k / 4][4 tokens][4]. starts: i32 [groups][8], scales f32 [groups][8],
 * xScales f32 [groups][4]; offsets f32 [groups][8] with xSums i32 [groups][4], or 0; acc f32 [4][8] is added to.
 */
export function tileDots(
  panel: usize, groups: i32, group: i32, x: usize, acc: usize, starts: usize, scales: usize, xScales: usize,
  offsets: usize, xSums: usize,
): void {
  tile(false, panel, groups, group, x, acc, starts, scales, xScales, offsets, xSums);
}

/**
 * The same for three planes: x per piece of at most 32 columns [3][k / 4][4 tokens][4], starts i32 [pieces][8]; short: f32 [4][8]
 * of the thread, where this call's sums begin at 0, so that f32 rounds them less.
 */
export function tilePlanes(
  panel: usize, groups: i32, group: i32, x: usize, acc: usize, starts: usize, scales: usize, xScales: usize,
  offsets: usize, xSums: usize, short: usize,
): void {
  memory.fill(short, 0, 128);
  tile(true, panel, groups, group, x, short, starts, scales, xScales, offsets, xSums);
  for (const end = acc + 128; acc < end; acc += 16) {
    v128.store(acc, f32x4.add(v128.load(acc), v128.load(short)));
    short += 16;
  }
}

// @ts-ignore: decorator
@inline
function tile(
  planes: bool, panel: usize, groups: i32, group: i32, x: usize, acc: usize, starts: usize, scales: usize, xScales: usize,
  offsets: usize, xSums: usize,
): void {
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
    let plane = 0;
    do {
      if (planes) {
        a0 = i32x4.shl(a0, 8);
        b0 = i32x4.shl(b0, 8);
        a1 = i32x4.shl(a1, 8);
        b1 = i32x4.shl(b1, 8);
        a2 = i32x4.shl(a2, 8);
        b2 = i32x4.shl(b2, 8);
        a3 = i32x4.shl(a3, 8);
        b3 = i32x4.shl(b3, 8);
      }
      for (let from = panel; from < next; from += 128) {
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
        low = v128.load(from, 32);
        high = v128.load(from, 48);
        four = v128.load32_splat(x, 16);
        a0 = dotWords(low, four, a0);
        b0 = dotWords(high, four, b0);
        four = v128.load32_splat(x, 20);
        a1 = dotWords(low, four, a1);
        b1 = dotWords(high, four, b1);
        four = v128.load32_splat(x, 24);
        a2 = dotWords(low, four, a2);
        b2 = dotWords(high, four, b2);
        four = v128.load32_splat(x, 28);
        a3 = dotWords(low, four, a3);
        b3 = dotWords(high, four, b3);
        low = v128.load(from, 64);
        high = v128.load(from, 80);
        four = v128.load32_splat(x, 32);
        a0 = dotWords(low, four, a0);
        b0 = dotWords(high, four, b0);
        four = v128.load32_splat(x, 36);
        a1 = dotWords(low, four, a1);
        b1 = dotWords(high, four, b1);
        four = v128.load32_splat(x, 40);
        a2 = dotWords(low, four, a2);
        b2 = dotWords(high, four, b2);
        four = v128.load32_splat(x, 44);
        a3 = dotWords(low, four, a3);
        b3 = dotWords(high, four, b3);
        low = v128.load(from, 96);
        high = v128.load(from, 112);
        four = v128.load32_splat(x, 48);
        a0 = dotWords(low, four, a0);
        b0 = dotWords(high, four, b0);
        four = v128.load32_splat(x, 52);
        a1 = dotWords(low, four, a1);
        b1 = dotWords(high, four, b1);
        four = v128.load32_splat(x, 56);
        a2 = dotWords(low, four, a2);
        b2 = dotWords(high, four, b2);
        four = v128.load32_splat(x, 60);
        a3 = dotWords(low, four, a3);
        b3 = dotWords(high, four, b3);
        x += 64;
      }
    } while (planes && ++plane < 3);
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
    } else {
      addScaled(acc, a0, b0, lowScale, highScale, v128.load32_splat(xScales));
      addScaled(acc + 32, a1, b1, lowScale, highScale, v128.load32_splat(xScales, 4));
      addScaled(acc + 64, a2, b2, lowScale, highScale, v128.load32_splat(xScales, 8));
      addScaled(acc + 96, a3, b3, lowScale, highScale, v128.load32_splat(xScales, 12));
    }
    starts += 32;
    if (planes) {
      left -= 32;
      if (left > 0) continue;
      left = group;
    }
    if (offsets) {
      addOffsets(acc, offsets, xScales, xSums);
      offsets += 32;
      xSums += 16;
    }
    scales += 32;
    xScales += 16;
  }
}

/** addScaled at f32 grade: scales first, one rounding for product and sum. */
// @ts-ignore: decorator
@inline
function add(to: usize, low: v128, high: v128, lowScale: v128, highScale: v128, xScale: v128): void {
  v128.store(to, madd(f32x4.mul(lowScale, xScale), f32x4.convert_i32x4_s(low), v128.load(to)));
  v128.store(to, madd(f32x4.mul(highScale, xScale), f32x4.convert_i32x4_s(high), v128.load(to, 16)), 16);
}
