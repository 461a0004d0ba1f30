// Rounding of f32 matrices: int4 to the "r8" layout (symmetric, round to nearest, one f16 scale a group, as llama.cpp's
// Q4_0 chooses it) and int8 with one scale a row; and seeded int4 weights that were never f32.

import { OFFSET_NONE8, ceilDiv, recordBytes } from "./job";
import { fromHalf, toHalf } from "./half";
import { largestMagnitude } from "./quantize";

/** Largest finite half. */
const HALF_MAX: f32 = 65504;

/** Rows [first, first + count) of values [count, cols] to records; first is a multiple of 8, the last block is padded. */
export function packInt4(values: usize, count: i32, cols: i32, group: i32, out: usize): void {
  const groups = ceilDiv(cols, group);
  const bytes = <usize>recordBytes(group, OFFSET_NONE8);
  memory.fill(out, 0x88, <usize>ceilDiv(count, 8) * <usize>groups * bytes);
  for (let block = 0; block < count; block += 8) {
    for (let g = 0; g < groups; g++) {
      const meta = out + (<usize>group << 2);
      memory.fill(meta, 0, 16);
      for (let r = 0; r < min(8, count - block); r++) {
        const from = values + ((<usize>(block + r) * <usize>cols + <usize>(g * group)) << 2);
        packGroup(from, min(group, cols - g * group), out, meta, r);
      }
      out += bytes;
    }
  }
}

/** scale = value of largest magnitude / -8 as a half; codes round against that half. */
function packGroup(from: usize, count: i32, record: usize, meta: usize, row: i32): void {
  let peak: f32 = 0;
  for (let c = 0; c < count; c++) {
    const value = load<f32>(from + (c << 2));
    if (abs(value) > abs(peak)) peak = value;
  }
  const bits = toHalf(max(min(peak / -8, HALF_MAX), -HALF_MAX));
  store<u16>(meta + (row << 1), bits);
  const scale = fromHalf(bits);
  const inverse: f32 = scale != 0 ? 1 / scale : 0;
  for (let c = 0; c < count; c++) {
    const code = <i32>max(min(floor(load<f32>(from + (c << 2)) * inverse + <f32>8.5), <f32>15), <f32>0);
    setCode(record, row, c, code);
  }
}

/** Writes the code of (row, column) of one record. */
// @ts-ignore: decorator
@inline
export function setCode(record: usize, row: i32, column: i32, code: i32): void {
  const at = record + ((column >> 3) << 5) + ((row >> 2) << 4) + ((row & 3) << 2) + (column & 3);
  const old = load<u8>(at);
  store<u8>(at, column & 4 ? (old & 15) | (code << 4) : (old & 0xf0) | code);
}

/** values [rows, cols] to codes int8 [rows, cols] and scales f32 [rows], scale = largest magnitude / 127. */
export function packInt8(values: usize, rows: i32, cols: i32, codes: usize, scales: usize): void {
  for (let r = 0; r < rows; r++) {
    const largest = largestMagnitude(values, cols);
    const inverse: f32 = largest > 0 ? <f32>127 / largest : 0;
    store<f32>(scales + (<usize>r << 2), largest / <f32>127);
    for (let c = 0; c < cols; c++) {
      const code = nearest(load<f32>(values + (<usize>c << 2)) * inverse);
      store<i8>(codes + c, <i32>max(min(code, <f32>127), <f32>-127));
    }
    values += <usize>cols << 2;
    codes += cols;
  }
}

/**
 * Records of `count` rows from row `first` on with uniform random codes 0..15 (none8), seeded by row block, so that any cut
 * into calls gives the same bytes. Codes less 8 have mean square 21.5: the scale, varied by 1/8 of itself, gives outputs
 * of unit-variance inputs unit variance.
 */
export function syntheticInt4(seed: u32, first: i32, count: i32, cols: i32, group: i32, out: usize): void {
  const groups = ceilDiv(cols, group);
  const base = 1 / sqrt(21.5 * <f64>cols);
  for (let block = 0; block < count; block += 8) {
    let state = mix(seed ^ mix(<u32>(first + block) + 0x9e3779b9));
    for (let g = 0; g < groups; g++) {
      const used = min(group, cols - g * group);
      for (let at = out; at < out + (<usize>group << 2); at += 4) {
        state = next(state);
        store<u32>(at, state);
      }
      out += <usize>group << 2;
      for (let r = 0; r < 8; r++) {
        state = next(state);
        const vary = <f64>(<i32>(state >> 24) - 128) / 1024;
        store<u16>(out + (r << 1), block + r < count ? toHalf(<f32>(base * (1 + vary))) : 0);
        for (let c = used; c < group; c++) setCode(out - (<usize>group << 2), r, c, 8);
        if (block + r >= count) for (let c = 0; c < used; c++) setCode(out - (<usize>group << 2), r, c, 8);
      }
      out += 16;
    }
  }
}

/**
 * Codes int8 [count, cols] and scales f32 [count] of rows from row `first` on: uniform -127..127 (mean square 5419 with -128 as -127),
 * seeded row by row, scaled as in syntheticInt4.
 */
export function syntheticInt8(seed: u32, first: i32, count: i32, cols: i32, codes: usize, scales: usize): void {
  const base = 1 / sqrt(5419.0 * <f64>cols);
  for (let r = 0; r < count; r++) {
    let state = next(mix(seed ^ mix(<u32>(first + r) + 0x9e3779b9)));
    const vary = <f64>(<i32>(state >> 24) - 128) / 1024;
    store<f32>(scales + (<usize>r << 2), <f32>(base * (1 + vary)));
    for (let c = 0; c < cols; c++) {
      if ((c & 3) == 0) state = next(state);
      store<i8>(codes + c, <i8>max(<i32>(<i8>(state >> ((c & 3) << 3))), -127));
    }
    codes += cols;
  }
}

/** xorshift32 (Marsaglia 2003) */
// @ts-ignore: decorator
@inline
function next(state: u32): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^ (state << 5);
}

function mix(value: u32): u32 {
  value = (value ^ (value >> 16)) * 0x85ebca6b;
  value = (value ^ (value >> 13)) * 0xc2b2ae35;
  value ^= value >> 16;
  return value != 0 ? value : 1;
}
