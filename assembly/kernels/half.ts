// IEEE 754 half precision <-> f32, round to nearest even.

/** Exact value of a half (subnormals, infinities and NaN included). */
// @ts-ignore: decorator
@inline
export function fromHalf(bits: u32): f32 {
  const magnitude = bits & 0x7fff;
  const sign = (bits & 0x8000) << 16;
  if (magnitude >= 0x7c00) return reinterpret<f32>(sign | 0x7f800000 | ((magnitude & 0x3ff) << 13));
  // The half's exponent and mantissa read as a tiny f32, times 2^112, give the value; exact for subnormals too.
  return reinterpret<f32>(sign | (magnitude << 13)) * reinterpret<f32>(0x77800000);
}

/** Nearest half of a value, ties to even; beyond 65504 an infinity. */
export function toHalf(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  const sign = (bits >> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal half: adding 0.5 puts the unit 2^-24 at the end of the mantissa, and rounds.
    return sign | (reinterpret<u32>(reinterpret<f32>(magnitude) + <f32>0.5) - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return sign | ((rounded - 0x38000000) >> 13);
}
