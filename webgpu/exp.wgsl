// exp to within two units of the last place on every device: WGSL's own may be off by 3 + 2 |x| units.
// 2^n * p(r) with x = n ln 2 + r; results below 2^-126 become the least normal number.

fn exponential(x: f32) -> f32 {
  let n = round(clamp(x, -87.0, 88.0) * 1.44269504);
  // ln 2 in two parts, the first one short enough for n * part to be exact.
  let r = (clamp(x, -87.0, 88.0) - n * 0.693359375) + n * 2.12194440e-4;
  let tail = fma(fma(fma(1.0 / 720.0, r, 1.0 / 120.0), r, 1.0 / 24.0), r, 1.0 / 6.0);
  return ldexp(fma(fma(fma(tail, r, 0.5), r, 1.0), r, 1.0), i32(n));
}
