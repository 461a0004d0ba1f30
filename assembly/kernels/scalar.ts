// The matmul kernels of the scalar build: the same layouts, the same integer sums and float steps, no vectors.
// acc: f32 [8], one block of eight rows times one token.

import { OFFSET_BIAS, OFFSET_NONE8, OFFSET_ZERO_U4, recordBytes } from "./job";
import { fromHalf } from "./half";

// @ts-ignore: decorator
@inline
function half(at: usize): f32 {
  return fromHalf(load<u16>(at));
}

/** x: int8 codes [groups * group]. */
export function scalarInt4I8(
  record: usize, groups: i32, group: i32, offset: i32, x: usize, xScales: usize, xSums: usize, acc: usize,
): void {
  memory.fill(acc, 0, 32);
  for (let g = 0; g < groups; g++) {
    const meta = record + (<usize>group << 2);
    const xScale = load<f32>(xScales + (<usize>g << 2));
    const xSum = load<i32>(xSums + (<usize>g << 2));
    for (let r = 0; r < 8; r++) {
      let sum = 0;
      let xp = x;
      for (let from = record + (r << 2); from < meta; from += 32) {
        const codes = load<i32>(from);
        sum += (codes & 15) * load<i8>(xp) + ((codes >> 8) & 15) * load<i8>(xp, 1);
        sum += ((codes >> 16) & 15) * load<i8>(xp, 2) + ((codes >> 24) & 15) * load<i8>(xp, 3);
        sum += ((codes >> 4) & 15) * load<i8>(xp, 4) + ((codes >> 12) & 15) * load<i8>(xp, 5);
        sum += ((codes >> 20) & 15) * load<i8>(xp, 6) + ((codes >> 28) & 15) * load<i8>(xp, 7);
        xp += 8;
      }
      if (offset == OFFSET_NONE8) sum -= 8 * xSum;
      if (offset == OFFSET_ZERO_U4) sum -= <i32>load<u8>(meta + 16 + r) * xSum;
      let value = load<f32>(acc + (r << 2)) + half(meta + (r << 1)) * xScale * <f32>sum;
      if (offset == OFFSET_BIAS) value += half(meta + 16 + (r << 1)) * xScale * <f32>xSum;
      store<f32>(acc + (r << 2), value);
    }
    record += recordBytes(group, offset);
    x += group;
  }
}

/** x: f32 [groups * group], padded with zeros; xSums: f32 sums by group. */
export function scalarInt4F32(
  record: usize, groups: i32, group: i32, offset: i32, x: usize, xSums: usize, acc: usize,
): void {
  memory.fill(acc, 0, 32);
  for (let g = 0; g < groups; g++) {
    const meta = record + (<usize>group << 2);
    const xSum = load<f32>(xSums + (<usize>g << 2));
    for (let r = 0; r < 8; r++) {
      let sum: f32 = 0;
      let xp = x;
      for (let from = record + (r << 2); from < meta; from += 32) {
        const codes = load<i32>(from);
        sum += <f32>(codes & 15) * load<f32>(xp) + <f32>((codes >> 8) & 15) * load<f32>(xp, 4);
        sum += <f32>((codes >> 16) & 15) * load<f32>(xp, 8) + <f32>((codes >> 24) & 15) * load<f32>(xp, 12);
        sum += <f32>((codes >> 4) & 15) * load<f32>(xp, 16) + <f32>((codes >> 12) & 15) * load<f32>(xp, 20);
        sum += <f32>((codes >> 20) & 15) * load<f32>(xp, 24) + <f32>((codes >> 28) & 15) * load<f32>(xp, 28);
        xp += 32;
      }
      if (offset == OFFSET_NONE8) sum -= 8 * xSum;
      if (offset == OFFSET_ZERO_U4) sum -= <f32>load<u8>(meta + 16 + r) * xSum;
      let value = load<f32>(acc + (r << 2)) + half(meta + (r << 1)) * sum;
      if (offset == OFFSET_BIAS) value += half(meta + 16 + (r << 1)) * xSum;
      store<f32>(acc + (r << 2), value);
    }
    record += recordBytes(group, offset);
    x += group << 2;
  }
}

/** Layout "t8"; x: int8 codes [padded], scales by 32 columns. */
export function scalarInt8I8(block: usize, padded: i32, x: usize, xScales: usize, acc: usize): void {
  for (let r = 0; r < 8; r++) {
    let value: f32 = 0;
    for (let first = 0; first < padded; first += 32) {
      let sum = 0;
      for (let c = first; c < first + 32; c += 2) {
        const at = block + (<usize>c << 3) + (r << 1);
        sum += <i32>load<i8>(at) * load<i8>(x + c) + <i32>load<i8>(at, 1) * load<i8>(x + c, 1);
      }
      value += load<f32>(xScales + ((<usize>first >> 5) << 2)) * <f32>sum;
    }
    store<f32>(acc + (r << 2), value);
  }
}

/** Layout "t8"; x: f32 [padded]. */
export function scalarInt8F32(block: usize, padded: i32, x: usize, acc: usize): void {
  for (let r = 0; r < 8; r++) {
    let value: f32 = 0;
    for (let c = 0; c < padded; c += 2) {
      const at = block + (<usize>c << 3) + (r << 1);
      value += <f32>load<i8>(at) * load<f32>(x + (<usize>c << 2));
      value += <f32>load<i8>(at, 1) * load<f32>(x + (<usize>c << 2), 4);
    }
    store<f32>(acc + (r << 2), value);
  }
}

/** Row-major f32 [count, cols], count <= 8. */
export function scalarF32(weight: usize, count: i32, cols: i32, x: usize, acc: usize): void {
  for (let r = 0; r < count; r++) {
    const row = weight + ((<usize>r * <usize>cols) << 2);
    let value: f32 = 0;
    for (let c: usize = 0; c < <usize>cols << 2; c += 4) value += load<f32>(row + c) * load<f32>(x + c);
    store<f32>(acc + (r << 2), value);
  }
}
