// Activations laid out for the int4 GEMV kernels: every operand repeated for the four rows of a vector, so that the
// kernel takes it with one plain 16-byte load (reference: kernels with spread activations are 3 to 36 % faster in V8).
// Steps are 8 columns, as in the "r8" layout. Columns past the end are zeros.

/** Bytes of one group of each form. */
// @ts-ignore: decorator
@inline
export function bytesGroupBytes(group: i32): i32 {
  return group * 4 + (group > 32 ? group / 2 : 16);
}

/**
 * Relaxed int8: per piece of at most 32 columns a start vector (`bias` times the sums of each lane's codes, as i16),
 * then per step the first four codes and the last four codes of the step, each four times.
 */
export function spreadBytes(codes: usize, columns: i32, group: i32, bias: i32, out: usize): void {
  const piece = min(group, 32);
  let to = out;
  for (let first = 0; first < columns; first += piece) {
    // i16 lane 2i sums the first two codes of each four, lane 2i + 1 the last two: as the dot of bytes does.
    let sums = i16x8.splat(0);
    const start = to;
    to += 16;
    for (let j = 0; j < piece; j += 4) {
      const four = v128.load32_splat(codes + first + j);
      sums = i16x8.add(sums, i16x8.extadd_pairwise_i8x16_s(four));
      v128.store(to, four);
      to += 16;
    }
    v128.store(start, i16x8.mul(sums, i16x8.splat(<i16>bias)));
  }
}

/** Relaxed int8 where dots are one instruction: every four codes four times. */
export function spreadWords(codes: usize, columns: i32, out: usize): void {
  for (let j = 0; j < columns; j += 4) {
    v128.store(out, v128.load32_splat(codes + j));
    out += 16;
  }
}

/**
 * Plain SIMD int8: per step four vectors of i16 pairs for the four nibble positions of an i16: columns (0, 2) * 256,
 * (4, 6) * 16, (1, 3) and (5, 7) * 256, so that masked nibbles need no shift (only the last one is shifted).
 */
export function spreadPairs(codes: usize, columns: i32, out: usize): void {
  let to = out;
  for (let j = 0; j < columns; j += 8) {
    const at = codes + j;
    v128.store(to, pair(load<i8>(at), load<i8>(at, 2), 8), 0);
    v128.store(to, pair(load<i8>(at, 4), load<i8>(at, 6), 4), 16);
    v128.store(to, pair(load<i8>(at, 1), load<i8>(at, 3), 0), 32);
    v128.store(to, pair(load<i8>(at, 5), load<i8>(at, 7), 8), 48);
    to += 64;
  }
}

// @ts-ignore: decorator
@inline
function pair(low: i32, high: i32, shift: i32): v128 {
  return i32x4.splat(((low << shift) & 0xffff) | (high << (16 + shift)));
}

/**
 * f32: per step eight vectors; position p of an i32 holds column (p >> 1) + 4 (p & 1), its masked nibble is 16^(p & 3)
 * times too large. sums: f32 [groups], the sum of each group's activations.
 */
export function spreadFloats(x: usize, cols: i32, group: i32, out: usize, sums: usize): void {
  let to = out;
  let sumAt = sums;
  for (let first = 0; first < cols; first += group) {
    let sum: f64 = 0;
    for (let j = first; j < first + group; j += 8) {
      for (let p = 0; p < 8; p++) {
        const column = j + (p >> 1) + 4 * (p & 1);
        const value: f32 = column < cols ? load<f32>(x + ((<usize>column) << 2)) : 0;
        sum += value;
        v128.store(to, f32x4.splat(value * reinterpret<f32>(0x3f800000 - (((p & 3) << 2) << 23))));
        to += 16;
      }
    }
    store<f32>(sumAt, <f32>sum);
    sumAt += 4;
  }
}

/** int8 codes to i16 [columns]. */
export function widenCodes(codes: usize, columns: i32, out: usize): void {
  for (let j: usize = 0; j < <usize>columns; j += 8) v128.store(out + (j << 1), v128.load8x8_s(codes + j));
}
