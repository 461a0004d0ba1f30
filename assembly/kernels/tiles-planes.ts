// The tile of matrix times matrix at f32 grade by integers (planes.ts), where products and their sums are one instruction: eight
// rows (lane = row) times four tokens, once for each plane of the activations from the highest on, sums shifted by eight bits
// between them. Panels of bytes as in tiles-dots.ts.

import { dotWords, madd } from "./lanes";

/**
 * `groups` groups of codes [k / 4][8][4] times x: per piece of at most 32 columns i32 [4 tokens], -8 times the sums of x, then three
 * planes, the highest first, [k / 4][4 tokens][4]. scales f32 [groups][8]; xScales f32 [groups][4]; acc f32 [4][8] is added to;
 * short: f32 [4][8] of the thread, where this call's sums begin at 0, so that f32 rounds them less.
 */
export function tilePlanes(
  panel: usize, groups: i32, group: i32, x: usize, acc: usize, scales: usize, xScales: usize, short: usize,
): void {
  memory.fill(short, 0, 128);
  const piece = <usize>min(group, 32);
  const last = panel + (<usize>(groups * group) << 3);
  let left = group;
  while (panel < last) {
    const starts = x;
    x += 16;
    let a0 = i32x4.splat(0);
    let b0 = a0;
    let a1 = i32x4.splat(0);
    let b1 = a1;
    let a2 = i32x4.splat(0);
    let b2 = a2;
    let a3 = i32x4.splat(0);
    let b3 = a3;
    const next = panel + (piece << 3);
    for (let plane = 0; plane < 3; plane++) {
      a0 = i32x4.shl(a0, 8);
      b0 = i32x4.shl(b0, 8);
      a1 = i32x4.shl(a1, 8);
      b1 = i32x4.shl(b1, 8);
      a2 = i32x4.shl(a2, 8);
      b2 = i32x4.shl(b2, 8);
      a3 = i32x4.shl(a3, 8);
      b3 = i32x4.shl(b3, 8);
      for (let from = panel; from < next; from += 128) {
        let low = v128.load(from);
        let high = v128.load(from, 16);
        let four = v128.load32_splat(x);
        a0 = dotWords(four, low, a0);
        b0 = dotWords(four, high, b0);
        four = v128.load32_splat(x, 4);
        a1 = dotWords(four, low, a1);
        b1 = dotWords(four, high, b1);
        four = v128.load32_splat(x, 8);
        a2 = dotWords(four, low, a2);
        b2 = dotWords(four, high, b2);
        four = v128.load32_splat(x, 12);
        a3 = dotWords(four, low, a3);
        b3 = dotWords(four, high, b3);
        low = v128.load(from, 32);
        high = v128.load(from, 48);
        four = v128.load32_splat(x, 16);
        a0 = dotWords(four, low, a0);
        b0 = dotWords(four, high, b0);
        four = v128.load32_splat(x, 20);
        a1 = dotWords(four, low, a1);
        b1 = dotWords(four, high, b1);
        four = v128.load32_splat(x, 24);
        a2 = dotWords(four, low, a2);
        b2 = dotWords(four, high, b2);
        four = v128.load32_splat(x, 28);
        a3 = dotWords(four, low, a3);
        b3 = dotWords(four, high, b3);
        low = v128.load(from, 64);
        high = v128.load(from, 80);
        four = v128.load32_splat(x, 32);
        a0 = dotWords(four, low, a0);
        b0 = dotWords(four, high, b0);
        four = v128.load32_splat(x, 36);
        a1 = dotWords(four, low, a1);
        b1 = dotWords(four, high, b1);
        four = v128.load32_splat(x, 40);
        a2 = dotWords(four, low, a2);
        b2 = dotWords(four, high, b2);
        four = v128.load32_splat(x, 44);
        a3 = dotWords(four, low, a3);
        b3 = dotWords(four, high, b3);
        low = v128.load(from, 96);
        high = v128.load(from, 112);
        four = v128.load32_splat(x, 48);
        a0 = dotWords(four, low, a0);
        b0 = dotWords(four, high, b0);
        four = v128.load32_splat(x, 52);
        a1 = dotWords(four, low, a1);
        b1 = dotWords(four, high, b1);
        four = v128.load32_splat(x, 56);
        a2 = dotWords(four, low, a2);
        b2 = dotWords(four, high, b2);
        four = v128.load32_splat(x, 60);
        a3 = dotWords(four, low, a3);
        b3 = dotWords(four, high, b3);
        x += 64;
      }
    }
    panel = next;
    const lowScale = v128.load(scales);
    const highScale = v128.load(scales, 16);
    add(short, a0, b0, v128.load32_splat(starts), v128.load32_splat(xScales), lowScale, highScale);
    add(short + 32, a1, b1, v128.load32_splat(starts, 4), v128.load32_splat(xScales, 4), lowScale, highScale);
    add(short + 64, a2, b2, v128.load32_splat(starts, 8), v128.load32_splat(xScales, 8), lowScale, highScale);
    add(short + 96, a3, b3, v128.load32_splat(starts, 12), v128.load32_splat(xScales, 12), lowScale, highScale);
    left -= 32;
    if (left > 0) continue;
    left = group;
    scales += 32;
    xScales += 16;
  }
  for (const end = acc + 128; acc < end; acc += 16) {
    v128.store(acc, f32x4.add(v128.load(acc), v128.load(short)));
    short += 16;
  }
}

// @ts-ignore: decorator
@inline
function add(to: usize, low: v128, high: v128, start: v128, xScale: v128, lowScale: v128, highScale: v128): void {
  low = f32x4.convert_i32x4_s(i32x4.add(low, start));
  high = f32x4.convert_i32x4_s(i32x4.add(high, start));
  v128.store(to, madd(f32x4.mul(lowScale, xScale), low, v128.load(to)));
  v128.store(to, madd(f32x4.mul(highScale, xScale), high, v128.load(to, 16)), 16);
}
