// One piece of parallel work as all threads see it: which operation, how many units, and its arguments. Each operation's
// own file says what the numbered arguments are.

export const GRAM: i32 = 0;
export const CROSS: i32 = 1;
export const BLOCK_GRAM: i32 = 2;
export const CHOLESKY_PANEL: i32 = 3;
export const CHOLESKY_UPDATE: i32 = 4;
export const SOLVE: i32 = 5;
export const INVERT: i32 = 6;
export const FAKE_LOSS: i32 = 7;
export const FAKE_OUTPUT: i32 = 8;
export const ATTEND: i32 = 9;
export const CLIP: i32 = 10;
export const ROUND: i32 = 11;
export const GPTQ: i32 = 12;
export const HQQ: i32 = 13;
export const FOLD: i32 = 14;
export const TRANSFORM: i32 = 15;

@unmanaged
export class Task {
  op: i32;
  units: i32;
  p0: usize;
  p1: usize;
  p2: usize;
  p3: usize;
  p4: usize;
  p5: usize;
  p6: usize;
  p7: usize;
  n0: i32;
  n1: i32;
  n2: i32;
  n3: i32;
  n4: i32;
  n5: i32;
  n6: i32;
  n7: i32;
}

// @ts-ignore: decorator
@inline
export function ceilDiv(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}

/** Address of element `index` of floats of 4 bytes; sizes beyond 2 GiB are fine. */
// @ts-ignore: decorator
@inline
export function at4(base: usize, index: usize): usize {
  return base + (index << 2);
}

// @ts-ignore: decorator
@inline
export function at8(base: usize, index: usize): usize {
  return base + (index << 3);
}
