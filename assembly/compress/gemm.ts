// Packed matrix product in f32 or f64: C[m,n] = (C) + sign * A[m,k] B[k,n]. A and B may be of either type and of any
// strides, so transposes and Gram matrices need no copies. Panels: A 4 rows, B 32 bytes of columns; the sum of an element
// runs over k in blocks of KB, so the vector and the scalar build give the same bits.

import { SIMD } from "../kernels/lanes";

const MB: i32 = 32;
const KB: i32 = 256;
const NB: i32 = 256;

let packedA: usize = 0;
let packedB: usize = 0;
let edge: usize = 0;

/** Bytes of the panels at the start of a thread's scratch. */
export function panelBytes(): i32 {
  return (MB * KB + KB * NB) * 8 + 256;
}

/** Places this thread's panels at the start of its scratch; gives the address behind them. */
export function setPanels(scratch: usize): usize {
  packedA = scratch;
  packedB = packedA + <usize>(MB * KB * 8);
  edge = packedB + <usize>(KB * NB * 8);
  return edge + 256;
}

/** Columns of a panel of B. */
// @ts-ignore: decorator
@inline
function width<T>(): i32 {
  return 32 / <i32>sizeof<T>();
}

/** Strides in elements: A(i, p) at i * aRow + p * aCol, B(p, j) at p * bRow + j * bCol. C has contiguous rows of ldc. */
export function gemm<T, A, B>(
  m: i32, n: i32, k: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32,
  c: usize, ldc: i32, sign: i32, accumulate: bool,
): void {
  for (let n0 = 0; n0 < n; n0 += NB) {
    const nc = min(NB, n - n0);
    for (let k0 = 0; k0 < k; k0 += KB) {
      const kc = min(KB, k - k0);
      packB<T, B>(b + elementsOf<B>(k0, bRow) + elementsOf<B>(n0, bCol), bRow, bCol, kc, nc);
      for (let m0 = 0; m0 < m; m0 += MB) {
        const mc = min(MB, m - m0);
        packA<T, A>(a + elementsOf<A>(m0, aRow) + elementsOf<A>(k0, aCol), aRow, aCol, mc, kc);
        const out = c + elementsOf<T>(m0, ldc) + elementsOf<T>(n0, 1);
        block<T>(mc, nc, kc, out, ldc, sign, accumulate || k0 > 0);
      }
    }
  }
}

/** Bytes of `count` steps of `stride` elements. */
// @ts-ignore: decorator
@inline
function elementsOf<T>(count: i32, stride: i32): usize {
  return <usize>count * <usize>stride * sizeof<T>();
}

function packA<T, A>(from: usize, row: i32, col: i32, mc: i32, kc: i32): void {
  let out = packedA;
  const step = elementsOf<A>(1, col);
  const isPlain = SIMD && sizeof<T>() == 4 && sizeof<A>() == 4 && (kc & 3) == 0;
  for (let i = 0; i < mc; i += 4) {
    const at = from + elementsOf<A>(i, row);
    if (isPlain && col == 1 && i + 4 <= mc) {
      transpose(at, elementsOf<A>(1, row), kc, out, 16);
      out += <usize>kc * 4 * sizeof<T>();
      continue;
    }
    for (let r = 0; r < 4; r++) {
      let to = out + <usize>r * sizeof<T>();
      if (i + r < mc) {
        let at = from + elementsOf<A>(i + r, row);
        for (let p = 0; p < kc; p++, at += step, to += 4 * sizeof<T>()) store<T>(to, <T>load<A>(at));
      } else {
        for (let p = 0; p < kc; p++, to += 4 * sizeof<T>()) store<T>(to, 0);
      }
    }
    out += <usize>kc * 4 * sizeof<T>();
  }
}

function packB<T, B>(from: usize, row: i32, col: i32, kc: i32, nc: i32): void {
  let out = packedB;
  const w = width<T>();
  const step = elementsOf<B>(1, row);
  const isPlain = SIMD && sizeof<T>() == 4 && sizeof<B>() == 4 && (kc & 3) == 0;
  for (let j = 0; j < nc; j += w) {
    const at = from + elementsOf<B>(j, col);
    if (isPlain && j + w <= nc && (row == 1 || col == 1)) {
      if (row == 1) {
        transpose(at, elementsOf<B>(1, col), kc, out, 32);
        transpose(at + elementsOf<B>(4, col), elementsOf<B>(1, col), kc, out + 16, 32);
      } else copyRows(at, elementsOf<B>(1, row), kc, out);
      out += <usize>kc * 32;
      continue;
    }
    for (let r = 0; r < w; r++) {
      let to = out + <usize>r * sizeof<T>();
      if (j + r < nc) {
        let at = from + elementsOf<B>(j + r, col);
        for (let p = 0; p < kc; p++, at += step, to += 32) store<T>(to, <T>load<B>(at));
      } else {
        for (let p = 0; p < kc; p++, to += 32) store<T>(to, 0);
      }
    }
    out += <usize>kc * 32;
  }
}

/** Four rows of kc (a multiple of 4) floats, `row` bytes apart, to columns `step` bytes apart. */
function transpose(from: usize, row: usize, kc: i32, to: usize, step: usize): void {
  if (!SIMD) return;
  for (let p = 0; p < kc; p += 4) {
    const a = v128.load(from);
    const b = v128.load(from + row);
    const c = v128.load(from + 2 * row);
    const d = v128.load(from + 3 * row);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    v128.store(to + step, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    v128.store(to + 2 * step, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
    v128.store(to + 3 * step, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
    from += 16;
    to += 4 * step;
  }
}

/** kc rows of 32 bytes, `row` bytes apart. */
function copyRows(from: usize, row: usize, kc: i32, to: usize): void {
  if (!SIMD) return;
  for (let p = 0; p < kc; p++) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    from += row;
    to += 32;
  }
}

function block<T>(mc: i32, nc: i32, kc: i32, c: usize, ldc: i32, sign: i32, add: bool): void {
  const w = width<T>();
  for (let j = 0; j < nc; j += w) {
    const panelB = packedB + <usize>(j / w) * <usize>kc * 32;
    for (let i = 0; i < mc; i += 4) {
      const panelA = packedA + <usize>i * <usize>kc * sizeof<T>();
      const out = c + elementsOf<T>(i, ldc) + elementsOf<T>(j, 1);
      if (mc - i >= 4 && nc - j >= w) {
        tile<T>(panelA, panelB, kc, out, ldc, sign, add);
      } else {
        tile<T>(panelA, panelB, kc, edge, w, 1, false);
        border<T>(out, ldc, min(4, mc - i), min(w, nc - j), sign, add);
      }
    }
  }
}

/** Copies the valid part of a tile at the border of C. */
function border<T>(c: usize, ldc: i32, rows: i32, cols: i32, sign: i32, add: bool): void {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < cols; j++) {
      const at = c + elementsOf<T>(r, ldc) + elementsOf<T>(j, 1);
      const value = load<T>(edge + <usize>(r * width<T>() + j) * sizeof<T>());
      const signed = sign < 0 ? -value : value;
      store<T>(at, add ? <T>(load<T>(at) + signed) : signed);
    }
  }
}

/** The 4 x 32-byte register tile. */
function tile<T>(a: usize, b: usize, k: i32, c: usize, ldc: i32, sign: i32, add: bool): void {
  if (SIMD) tileVector<T>(a, b, k, c, ldc, sign, add);
  else tileScalar<T>(a, b, k, c, ldc, sign, add);
}

function tileVector<T>(a: usize, b: usize, k: i32, c: usize, ldc: i32, sign: i32, add: bool): void {
  let c00 = v128.splat<T>(0), c01 = v128.splat<T>(0), c10 = v128.splat<T>(0), c11 = v128.splat<T>(0);
  let c20 = v128.splat<T>(0), c21 = v128.splat<T>(0), c30 = v128.splat<T>(0), c31 = v128.splat<T>(0);
  const end = a + <usize>k * 4 * sizeof<T>();
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let s = v128.load_splat<T>(a);
    c00 = v128.add<T>(c00, v128.mul<T>(s, b0));
    c01 = v128.add<T>(c01, v128.mul<T>(s, b1));
    s = v128.load_splat<T>(a + sizeof<T>());
    c10 = v128.add<T>(c10, v128.mul<T>(s, b0));
    c11 = v128.add<T>(c11, v128.mul<T>(s, b1));
    s = v128.load_splat<T>(a + 2 * sizeof<T>());
    c20 = v128.add<T>(c20, v128.mul<T>(s, b0));
    c21 = v128.add<T>(c21, v128.mul<T>(s, b1));
    s = v128.load_splat<T>(a + 3 * sizeof<T>());
    c30 = v128.add<T>(c30, v128.mul<T>(s, b0));
    c31 = v128.add<T>(c31, v128.mul<T>(s, b1));
    a += 4 * sizeof<T>();
    b += 32;
  }
  const row = elementsOf<T>(1, ldc);
  storeRow<T>(c, c00, c01, sign, add);
  storeRow<T>(c + row, c10, c11, sign, add);
  storeRow<T>(c + 2 * row, c20, c21, sign, add);
  storeRow<T>(c + 3 * row, c30, c31, sign, add);
}

// @ts-ignore: decorator
@inline
function storeRow<T>(c: usize, low: v128, high: v128, sign: i32, add: bool): void {
  if (sign < 0) {
    low = v128.neg<T>(low);
    high = v128.neg<T>(high);
  }
  if (add) {
    low = v128.add<T>(v128.load(c), low);
    high = v128.add<T>(v128.load(c, 16), high);
  }
  v128.store(c, low);
  v128.store(c, high, 16);
}

function tileScalar<T>(a: usize, b: usize, k: i32, c: usize, ldc: i32, sign: i32, add: bool): void {
  for (let r = 0; r < 4; r++) {
    for (let j = 0; j < width<T>(); j++) {
      let sum: T = 0;
      for (let p: usize = 0; p < <usize>k; p++) {
        sum = <T>(sum + load<T>(a + (p * 4 + <usize>r) * sizeof<T>()) * load<T>(b + p * 32 + <usize>j * sizeof<T>()));
      }
      const at = c + elementsOf<T>(r, ldc) + elementsOf<T>(j, 1);
      const signed = sign < 0 ? -sum : sum;
      store<T>(at, add ? <T>(load<T>(at) + signed) : signed);
    }
  }
}
