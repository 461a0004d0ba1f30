// Activations, forward and backward: SwiGLU (Shazeer 2020), quick-GELU (CLIP), exact GELU (the projector).
// Counts are multiples of 4.
import { exp4, sigmoid4 } from "./exponential";

/** y [rows, inner] = silu(gate) * up, where x [rows, 2 * inner] holds gate, then up. */
export function swiglu(x: usize, y: usize, rows: i32, inner: i32): void {
  const width = <usize>inner << 2;
  for (let r = 0; r < rows; r++) {
    for (let j: usize = 0; j < width; j += 16) {
      const gate = v128.load(x + j);
      v128.store(y + j, f32x4.mul(f32x4.mul(gate, sigmoid4(gate)), v128.load(x + width + j)));
    }
    x += 2 * width;
    y += width;
  }
}

/** dx [rows, 2 * inner] from dy [rows, inner] and the saved x. */
export function swigluBackward(dy: usize, x: usize, dx: usize, rows: i32, inner: i32): void {
  const width = <usize>inner << 2;
  const one = f32x4.splat(1);
  for (let r = 0; r < rows; r++) {
    for (let j: usize = 0; j < width; j += 16) {
      const gate = v128.load(x + j);
      const up = v128.load(x + width + j);
      const g = v128.load(dy + j);
      const s = sigmoid4(gate);
      const slope = f32x4.mul(s, f32x4.add(one, f32x4.mul(gate, f32x4.sub(one, s))));
      v128.store(dx + j, f32x4.mul(f32x4.mul(g, up), slope));
      v128.store(dx + width + j, f32x4.mul(g, f32x4.mul(gate, s)));
    }
    x += 2 * width;
    dx += 2 * width;
    dy += width;
  }
}

/** y = x * sigmoid(1.702 x). */
export function quickGelu(x: usize, y: usize, count: i32): void {
  for (let j = 0; j < count << 2; j += 16) {
    const value = v128.load(x + j);
    v128.store(y + j, f32x4.mul(value, sigmoid4(f32x4.mul(value, f32x4.splat(1.702)))));
  }
}

/** dx = dy * derivative of quick-GELU at x; dx may be dy. */
export function quickGeluBackward(dy: usize, x: usize, dx: usize, count: i32): void {
  const one = f32x4.splat(1);
  const slope = f32x4.splat(1.702);
  for (let j = 0; j < count << 2; j += 16) {
    const value = v128.load(x + j);
    const s = sigmoid4(f32x4.mul(value, slope));
    const inner = f32x4.mul(f32x4.mul(slope, value), f32x4.sub(one, s));
    v128.store(dx + j, f32x4.mul(v128.load(dy + j), f32x4.mul(s, f32x4.add(one, inner))));
  }
}

/** erf of four floats, absolute error below 2e-7 (Abramowitz & Stegun 7.1.26). */
// @ts-ignore: decorator
@inline
function erf4(x: v128): v128 {
  const size = f32x4.abs(x);
  const one = f32x4.splat(1);
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(size, f32x4.splat(0.3275911))));
  let p = f32x4.splat(1.061405429);
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.453152027));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.421413741));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.284496736));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.254829592));
  const value = f32x4.sub(one, f32x4.mul(f32x4.mul(p, t), exp4(f32x4.neg(f32x4.mul(x, x)))));
  return v128.or(value, v128.and(x, i32x4.splat(0x80000000)));
}

/** y = x * (1 + erf(x / sqrt 2)) / 2. */
export function gelu(x: usize, y: usize, count: i32): void {
  const half = f32x4.splat(0.5);
  for (let j = 0; j < count << 2; j += 16) {
    const value = v128.load(x + j);
    const e = erf4(f32x4.mul(value, f32x4.splat(0.70710678118654752)));
    v128.store(y + j, f32x4.mul(value, f32x4.add(half, f32x4.mul(half, e))));
  }
}

/** dx = dy * (Phi(x) + x phi(x)); dx may be dy. */
export function geluBackward(dy: usize, x: usize, dx: usize, count: i32): void {
  const half = f32x4.splat(0.5);
  for (let j = 0; j < count << 2; j += 16) {
    const value = v128.load(x + j);
    const phi = f32x4.add(half, f32x4.mul(half, erf4(f32x4.mul(value, f32x4.splat(0.70710678118654752)))));
    const bell = exp4(f32x4.mul(f32x4.mul(value, value), f32x4.splat(-0.5)));
    const density = f32x4.mul(f32x4.mul(value, bell), f32x4.splat(0.39894228040143268));
    v128.store(dx + j, f32x4.mul(v128.load(dy + j), f32x4.add(phi, density)));
  }
}
