// f32 weights, row-major [rows, cols]: dot products for one token, and the transposition to a panel for several.

import { madd, sumLanes } from "./lanes";

/** acc[r] = row r . x for `count` rows; the sum runs in eight partial sums, the tail one by one. */
export function f32Vector(weight: usize, count: i32, cols: i32, x: usize, acc: usize): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < count; r++) {
    let low = f32x4.splat(0);
    let high = low;
    let c: usize = 0;
    const end = stride & ~31;
    for (; c < end; c += 32) {
      low = madd(v128.load(weight + c), v128.load(x + c), low);
      high = madd(v128.load(weight + c, 16), v128.load(x + c, 16), high);
    }
    let sum = sumLanes(f32x4.add(low, high));
    for (; c < stride; c += 4) sum += load<f32>(weight + c) * load<f32>(x + c);
    store<f32>(acc + ((<usize>r) << 2), sum);
    weight += stride;
  }
}

/** Columns [0, k) of up to eight rows as a float panel [k][8]; missing rows are zeros. */
export function f32Panel(weight: usize, count: i32, cols: i32, k: i32, panel: usize): void {
  const stride = <usize>cols << 2;
  if (count < 8) memory.fill(panel, 0, <usize>k << 5);
  let r = 0;
  for (; r + 4 <= count; r += 4) {
    const from = weight + <usize>r * stride;
    const to = panel + (r << 2);
    let c = 0;
    for (; c + 4 <= k; c += 4) transpose(from + (<usize>c << 2), stride, to + (<usize>c << 5));
    for (; c < k; c++) copyColumn(from + (<usize>c << 2), stride, 4, to + (<usize>c << 5));
  }
  if (r < count) {
    const from = weight + <usize>r * stride;
    for (let c = 0; c < k; c++) copyColumn(from + (<usize>c << 2), stride, count - r, panel + (r << 2) + (<usize>c << 5));
  }
}

/** 4 x 4 values, rows `stride` bytes apart, to columns 32 bytes apart. */
// @ts-ignore: decorator
@inline
function transpose(from: usize, stride: usize, to: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + stride);
  const c = v128.load(from + 2 * stride);
  const d = v128.load(from + 3 * stride);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i32>(ab, cd, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<i32>(ab, cd, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<i32>(ef, gh, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<i32>(ef, gh, 2, 3, 6, 7), 96);
}

// @ts-ignore: decorator
@inline
function copyColumn(from: usize, stride: usize, count: i32, to: usize): void {
  for (let r = 0; r < count; r++) store<f32>(to + (r << 2), load<f32>(from + <usize>r * stride));
}
