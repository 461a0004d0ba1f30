// int8 weights in the layout "t8": blocks of eight rows, [columns / 2][8 rows][2 columns] bytes, columns padded to a
// multiple of 32 and rows to one of 8 with zeros. Lane = row, so nothing is summed across lanes. Vector kernels and the
// rearrangement; the tile for several tokens reads the same bytes.

import { madd } from "./lanes";

/** Bytes of a [rows, cols] matrix in the layout. */
export function int8Bytes(rows: i32, cols: i32): u32 {
  return u32((rows + 7) & ~7) * u32((cols + 31) & ~31);
}

/** Address of the code of (row, column) inside a block-row layout of `padded` columns. */
// @ts-ignore: decorator
@inline
export function int8At(weight: usize, padded: i32, row: i32, column: i32): usize {
  return weight + <usize>(row >> 3) * (<usize>padded << 3) + (<usize>(column >> 1) << 4) + <usize>((row & 7) << 1) + <usize>(column & 1);
}

/** Rearranges `count` row-major rows [count, cols] (from row `first` on, a multiple of 8) into the layout. */
export function int8Tile(codes: usize, first: i32, count: i32, cols: i32, weight: usize): void {
  const padded = (cols + 31) & ~31;
  for (let block = 0; block < count; block += 8) {
    const to = int8At(weight, padded, first + block, 0);
    memory.fill(to, 0, <usize>padded << 3);
    for (let r = 0; r < min(8, count - block); r++) {
      const from = codes + <usize>(block + r) * <usize>cols;
      for (let c = 0; c < cols; c++) store<u8>(int8At(to, padded, r, c), load<u8>(from + c));
    }
  }
}

/** acc[block * 8 + row] = sum over groups of 32 of xScale * (codes . x); x: i16 [padded]. */
export function int8I8Vector(weight: usize, blocks: i32, padded: i32, x: usize, xScales: usize, acc: usize): void {
  memory.fill(acc, 0, (<usize>blocks) << 5);
  const stride = <usize>padded << 3;
  for (let first = 0; first < padded; first += 32) {
    const xScale = v128.load32_splat(xScales);
    for (let b = 0; b < blocks; b++) {
      let from = weight + <usize>b * stride;
      let low = i32x4.splat(0);
      let high = low;
      for (let j = 0; j < 64; j += 8) {
        let pair = v128.load32_splat(x + j);
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.load8x8_s(from), pair));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.load8x8_s(from, 8), pair));
        pair = v128.load32_splat(x + j, 4);
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.load8x8_s(from, 16), pair));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.load8x8_s(from, 24), pair));
        from += 32;
      }
      const at = acc + ((<usize>b) << 5);
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(xScale, f32x4.convert_i32x4_s(low))));
      v128.store(at, f32x4.add(v128.load(at, 16), f32x4.mul(xScale, f32x4.convert_i32x4_s(high))), 16);
    }
    weight += 256;
    x += 64;
    xScales += 4;
  }
}

/** Two columns of four rows (i16 pairs) as f32. */
// @ts-ignore: decorator
@inline
function even(pairs: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(pairs, 16), 16));
}
// @ts-ignore: decorator
@inline
function odd(pairs: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_s(pairs, 16));
}

/** acc[block * 8 + row] = codes . x; x: f32 [padded]. */
export function int8F32Vector(weight: usize, blocks: i32, padded: i32, x: usize, acc: usize): void {
  memory.fill(acc, 0, (<usize>blocks) << 5);
  const stride = <usize>padded << 3;
  for (let first = 0; first < padded; first += 32) {
    for (let b = 0; b < blocks; b++) {
      const at = acc + ((<usize>b) << 5);
      let from = weight + <usize>b * stride;
      let low = v128.load(at);
      let high = v128.load(at, 16);
      let low2 = f32x4.splat(0);
      let high2 = low2;
      for (let j = 0; j < 128; j += 8) {
        const first = v128.load32_splat(x + j);
        const second = v128.load32_splat(x + j, 4);
        const upper = v128.load8x8_s(from);
        const lower = v128.load8x8_s(from, 8);
        low = madd(even(upper), first, low);
        high = madd(even(lower), first, high);
        low2 = madd(odd(upper), second, low2);
        high2 = madd(odd(lower), second, high2);
        from += 16;
      }
      v128.store(at, f32x4.add(low, low2));
      v128.store(at, f32x4.add(high, high2), 16);
    }
    weight += 256;
    x += 128;
  }
}

/** Columns of one block as a float panel [k][8]. */
export function int8Floats(from: usize, k: i32, panel: usize): void {
  const end = panel + ((<usize>k) << 5);
  while (panel < end) {
    const upper = v128.load8x8_s(from);
    const lower = v128.load8x8_s(from, 8);
    v128.store(panel, even(upper));
    v128.store(panel, even(lower), 16);
    v128.store(panel, odd(upper), 32);
    v128.store(panel, odd(lower), 48);
    panel += 64;
    from += 16;
  }
}
