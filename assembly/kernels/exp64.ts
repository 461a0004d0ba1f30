// e^x and ln x in f64 without the library's tables (6 KB of every build): reduction and a series, relative errors of one or two
// units of the last place.

const LN2_HIGH: f64 = 6.93147180369123816490e-01;
const LN2_LOW: f64 = 1.90821492927058770002e-10;

/** 1 / i!, from the highest of e^x's series on. */
const TERMS: usize = memory.data<f64>([
  1.1470745597729725e-11, 1.6059043836821613e-10, 2.08767569878681e-9, 2.505210838544172e-8, 2.755731922398589e-7,
  2.7557319223985893e-6, 2.48015873015873e-5, 1.984126984126984e-4, 1.388888888888889e-3, 8.333333333333333e-3,
  4.1666666666666664e-2, 0.16666666666666666, 0.5, 1, 1,
]);

/** e^x: x = n ln 2 + r with |r| <= ln2 / 2, Taylor series of 14 terms in Horner's form. */
export function exp64(x: f64): f64 {
  if (!(x > -745.2)) return x < 0 ? 0 : x;
  if (x > 709.8) return Infinity;
  const n = nearest(x * 1.4426950408889634);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let sum = load<f64>(TERMS);
  for (let at = TERMS + 8; at < TERMS + 15 * 8; at += 8) sum = sum * r + load<f64>(at);
  // In two steps, so that neither power of two leaves the range.
  const half = <i32>n >> 1;
  return sum * power(half) * power(<i32>n - half);
}

// @ts-ignore: decorator
@inline
function power(n: i32): f64 {
  return reinterpret<f64>((<i64>n + 1023) << 52);
}

/** ln x: x = 2^n m with m in [sqrt 1/2, sqrt 2), ln m = 2 artanh((m - 1) / (m + 1)). */
export function log64(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN;
  if (x == Infinity) return x;
  let n = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54
    n = -54;
  }
  const bits = reinterpret<i64>(x);
  // The exponent counts from m = sqrt 1/2 on.
  const above = bits - 0x3fe6a09e667f3bcd;
  n += <i32>(above >> 52);
  const m = reinterpret<f64>(bits - ((above >> 52) << 52));
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum: f64 = 0;
  for (let i = 21; i > 0; i -= 2) sum = sum * square + 1 / <f64>i;
  return <f64>n * LN2_HIGH + (2 * s * sum + <f64>n * LN2_LOW);
}
