// Packed f32 matrix product of the trainer: C[m,n] (+)= op(A)[m,k] * op(B)[k,n], row-major, any size.
// B is packed to panels of 8 columns ([k][8]), A to panels of 4 rows ([k][4]); the register tile is 4 x 8.
// The order of every sum depends on k alone, so the same inputs give the same bits on every machine.

const KB: i32 = 256; // depth of a block: panel of B = 8 KiB
const NB: i32 = 512; // columns of a block: packed B = 512 KiB, stays in L2
const MB: i32 = 32; // rows of a block: packed A = 32 KiB

/** Whole product. */
export const FULL: i32 = 0;
/** Only tiles of C that touch the lower triangle are computed; the others keep what they held. */
export const LOWER_OUTPUT: i32 = 1;
/** op(A)[m,k] is zero for k > m. */
export const LOWER_LEFT: i32 = 2;
/** op(A)[m,k] is zero for k < m. */
export const UPPER_LEFT: i32 = 3;

let packedB: usize = 0;
let packedA: usize = 0;
let edge: usize = 0;

/** Bytes that `setScratch` needs. */
export function scratchBytes(): i32 {
  return (KB * NB + MB * KB + 32) * 4;
}

/** Hands over scratch memory (16-byte aligned). Must be called once before any product. */
export function setScratch(address: usize): void {
  packedB = address;
  packedA = packedB + ((KB * NB) << 2);
  edge = packedA + ((MB * KB) << 2);
}

/** C[m,n] (+)= op(A) * op(B). transA: A is stored [k,m]; transB: B is stored [n,k]. Leading dimensions in floats. */
export function gemm(
  m: i32, n: i32, k: i32,
  a: usize, lda: i32, transA: bool,
  b: usize, ldb: i32, transB: bool,
  c: usize, ldc: i32, accumulate: bool, shape: i32,
): void {
  for (let n0 = 0; n0 < n; n0 += NB) {
    const nc = min(NB, n - n0);
    for (let k0 = 0; k0 < k; k0 += KB) {
      const kc = min(KB, k - k0);
      const kp = (kc + 3) & ~3;
      if (transB) packTransposed(b + ((n0 * ldb + k0) << 2), ldb, nc, kc, kp, 8, packedB);
      else packPlain8(b + ((k0 * ldb + n0) << 2), ldb, nc, kc, kp);
      for (let m0 = 0; m0 < m; m0 += MB) {
        const mc = min(MB, m - m0);
        if (transA) packPlain4(a + ((k0 * lda + m0) << 2), lda, mc, kc, kp);
        else packTransposed(a + ((m0 * lda + k0) << 2), lda, mc, kc, kp, 4, packedA);
        block(m0, n0, k0, mc, nc, kp, c, ldc, accumulate || k0 > 0, shape);
      }
    }
  }
}

/** All tiles of one packed block. */
function block(m0: i32, n0: i32, k0: i32, mc: i32, nc: i32, kp: i32, c: usize, ldc: i32, add: bool, shape: i32): void {
  for (let p = 0; p < nc; p += 8) {
    const panelB = packedB + ((p * kp) << 2);
    for (let g = 0; g < mc; g += 4) {
      const row = m0 + g;
      if (shape == LOWER_OUTPUT && n0 + p > row + 3) continue;
      let from = 0;
      let to = kp;
      if (shape == LOWER_LEFT) to = max(0, min(kp, row + 4 - k0));
      else if (shape == UPPER_LEFT) from = min(kp, max(0, row - k0));
      const panelA = packedA + ((g * kp + from * 4) << 2);
      const out = c + ((row * ldc + n0 + p) << 2);
      if (mc - g >= 4 && nc - p >= 8) {
        tile(panelA, panelB + (from << 5), to - from, out, ldc, add);
      } else {
        tile(panelA, panelB + (from << 5), to - from, edge, 8, false);
        copyEdge(out, ldc, min(4, mc - g), min(8, nc - p), add);
      }
    }
  }
}

/** The 4 x 8 register tile: k rank-one updates (k a multiple of 4 after padding, or any count from a triangle). */
function tile(a: usize, b: usize, k: i32, c: usize, ldc: i32, add: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  const end = a + (k << 4);
  while (a < end) {
    let x = v128.load(a);
    let b0 = v128.load(b);
    let b1 = v128.load(b, 16);
    let s = v128.shuffle<f32>(x, x, 0, 0, 0, 0);
    c00 = f32x4.add(c00, f32x4.mul(s, b0));
    c01 = f32x4.add(c01, f32x4.mul(s, b1));
    s = v128.shuffle<f32>(x, x, 1, 1, 1, 1);
    c10 = f32x4.add(c10, f32x4.mul(s, b0));
    c11 = f32x4.add(c11, f32x4.mul(s, b1));
    s = v128.shuffle<f32>(x, x, 2, 2, 2, 2);
    c20 = f32x4.add(c20, f32x4.mul(s, b0));
    c21 = f32x4.add(c21, f32x4.mul(s, b1));
    s = v128.shuffle<f32>(x, x, 3, 3, 3, 3);
    c30 = f32x4.add(c30, f32x4.mul(s, b0));
    c31 = f32x4.add(c31, f32x4.mul(s, b1));
    x = v128.load(a, 16);
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    s = v128.shuffle<f32>(x, x, 0, 0, 0, 0);
    c00 = f32x4.add(c00, f32x4.mul(s, b0));
    c01 = f32x4.add(c01, f32x4.mul(s, b1));
    s = v128.shuffle<f32>(x, x, 1, 1, 1, 1);
    c10 = f32x4.add(c10, f32x4.mul(s, b0));
    c11 = f32x4.add(c11, f32x4.mul(s, b1));
    s = v128.shuffle<f32>(x, x, 2, 2, 2, 2);
    c20 = f32x4.add(c20, f32x4.mul(s, b0));
    c21 = f32x4.add(c21, f32x4.mul(s, b1));
    s = v128.shuffle<f32>(x, x, 3, 3, 3, 3);
    c30 = f32x4.add(c30, f32x4.mul(s, b0));
    c31 = f32x4.add(c31, f32x4.mul(s, b1));
    a += 32;
    b += 64;
  }
  const row = <usize>ldc << 2;
  storeRow(c, c00, c01, add);
  storeRow(c + row, c10, c11, add);
  storeRow(c + 2 * row, c20, c21, add);
  storeRow(c + 3 * row, c30, c31, add);
}

// @ts-ignore: decorator
@inline
function storeRow(c: usize, low: v128, high: v128, add: bool): void {
  if (add) {
    low = f32x4.add(v128.load(c), low);
    high = f32x4.add(v128.load(c, 16), high);
  }
  v128.store(c, low);
  v128.store(c, high, 16);
}

/** Copies the valid part of a tile at the border of C. */
function copyEdge(c: usize, ldc: i32, rows: i32, columns: i32, add: bool): void {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      const at = c + ((r * ldc + j) << 2);
      const value = load<f32>(edge + ((r * 8 + j) << 2));
      store<f32>(at, add ? load<f32>(at) + value : value);
    }
  }
}

/** Packs `count` rows of length kc (stored row by row) to panels of `width` (4 or 8): panel[k][width], zero-filled. */
function packTransposed(src: usize, ld: i32, count: i32, kc: i32, kp: i32, width: i32, out: usize): void {
  for (let r0 = 0; r0 < count; r0 += 4) {
    const panel = out + ((((r0 / width) * kp) * width + (r0 % width)) << 2);
    const whole = count - r0 >= 4 ? kc & ~3 : 0;
    const base = src + ((r0 * ld) << 2);
    if (whole > 0) transpose4(base, ld, whole, panel, width);
    for (let k = whole; k < kp; k++) {
      for (let j = 0; j < 4; j++) {
        const inside = k < kc && r0 + j < count;
        store<f32>(panel + ((k * width + j) << 2), inside ? load<f32>(base + ((j * ld + k) << 2)) : 0);
      }
    }
  }
  if (width == 8 && (count & 7) != 0 && (count & 7) <= 4) zeroUpperHalf(out + ((((count >> 3) * kp) << 3) << 2), kp);
}

/** Columns 4 to 7 of a last panel of B that has at most 4 columns. */
function zeroUpperHalf(panel: usize, kp: i32): void {
  const zero = f32x4.splat(0);
  for (let k = 0; k < kp; k++) v128.store(panel + (k << 5), zero, 16);
}

/** 4 rows x kc (a multiple of 4) to [k][width], columns 0..3. */
function transpose4(src: usize, ld: i32, kc: i32, out: usize, width: i32): void {
  const row = <usize>ld << 2;
  const step = <usize>width << 2;
  for (let k = 0; k < kc; k += 4) {
    const at = src + (k << 2);
    const r0 = v128.load(at);
    const r1 = v128.load(at + row);
    const r2 = v128.load(at + 2 * row);
    const r3 = v128.load(at + 3 * row);
    const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5));
    v128.store(out + step, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7));
    v128.store(out + 2 * step, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5));
    v128.store(out + 3 * step, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7));
    out += 4 * step;
  }
}

/** Packs B stored [k,n] to panels [k][8], zero-filled. */
function packPlain8(src: usize, ld: i32, nc: i32, kc: i32, kp: i32): void {
  const zero = f32x4.splat(0);
  let out = packedB;
  for (let p = 0; p < nc; p += 8) {
    const columns = min(8, nc - p);
    for (let k = 0; k < kp; k++) {
      const at = src + ((k * ld + p) << 2);
      if (k < kc && columns == 8) {
        v128.store(out, v128.load(at));
        v128.store(out, v128.load(at, 16), 16);
      } else {
        v128.store(out, zero);
        v128.store(out, zero, 16);
        if (k < kc) memory.copy(out, at, columns << 2);
      }
      out += 32;
    }
  }
}

/** Packs A stored [k,m] to panels [k][4], zero-filled. */
function packPlain4(src: usize, ld: i32, mc: i32, kc: i32, kp: i32): void {
  let out = packedA;
  for (let p = 0; p < mc; p += 4) {
    const columns = min(4, mc - p);
    for (let k = 0; k < kp; k++) {
      const at = src + ((k * ld + p) << 2);
      if (k < kc && columns == 4) {
        v128.store(out, v128.load(at));
      } else {
        v128.store(out, f32x4.splat(0));
        if (k < kc) memory.copy(out, at, columns << 2);
      }
      out += 16;
    }
  }
}
