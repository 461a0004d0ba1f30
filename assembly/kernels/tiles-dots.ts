// The byte tile of matrix times matrix where products and their sums are one instruction (FUSED in lanes.ts): as tiles-bytes.ts,
// but sums are i32 from the start. Activations of four tokens lie side by side (packTokens), so that one address serves all.

import { dotWords } from "./lanes";
import { addScaled } from "./tiles";

/** int8 codes [4][stride] of four tokens to [stride / 4][4][4]; `stride` is a multiple of 16. */
export function packTokens(codes: usize, stride: i32, out: usize): void {
  const line = <usize>stride;
  for (let k = 0; k < stride; k += 16) {
    const a = v128.load(codes);
    const b = v128.load(codes + line);
    const c = v128.load(codes + 2 * line);
    const d = v128.load(codes + 3 * line);
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
 * `groups` groups of unsigned 4-bit codes as bytes [k / 4][8][4] times x [k / 4][4 tokens][4]. starts: i32 [groups][4 tokens], -8 times
 * the sums of x, which is the zero point; scales f32 [groups][8]; xScales f32 [groups][4]; acc f32 [4][8] is added to.
 */
export function tileDots(
  panel: usize, groups: i32, group: i32, x: usize, acc: usize, scales: usize, xScales: usize, starts: usize,
): void {
  const last = scales + ((<usize>groups) << 5);
  const step = (<usize>group) << 2;
  while (scales < last) {
    let a0 = v128.load32_splat(starts);
    let b0 = a0;
    let a1 = v128.load32_splat(starts, 4);
    let b1 = a1;
    let a2 = v128.load32_splat(starts, 8);
    let b2 = a2;
    let a3 = v128.load32_splat(starts, 12);
    let b3 = a3;
    const end = x + step;
    while (x < end) {
      let low = v128.load(panel);
      let high = v128.load(panel, 16);
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
      low = v128.load(panel, 32);
      high = v128.load(panel, 48);
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
      low = v128.load(panel, 64);
      high = v128.load(panel, 80);
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
      low = v128.load(panel, 96);
      high = v128.load(panel, 112);
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
      panel += 128;
      x += 64;
    }
    const lowScale = v128.load(scales);
    const highScale = v128.load(scales, 16);
    addScaled(acc, a0, b0, lowScale, highScale, v128.load32_splat(xScales));
    addScaled(acc + 32, a1, b1, lowScale, highScale, v128.load32_splat(xScales, 4));
    addScaled(acc + 64, a2, b2, lowScale, highScale, v128.load32_splat(xScales, 8));
    addScaled(acc + 96, a3, b3, lowScale, highScale, v128.load32_splat(xScales, 12));
    scales += 32;
    xScales += 16;
    starts += 16;
  }
}
