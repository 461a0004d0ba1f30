// Element-wise pieces and reductions over flat f32 arrays, and the seeded normal start values.
// Counts are multiples of 4.

/** y += x. */
export function add(y: usize, x: usize, count: i32): void {
  for (let j = 0; j < count << 2; j += 16) {
    v128.store(y + j, f32x4.add(v128.load(y + j), v128.load(x + j)));
  }
}

/** out = a + b. */
export function sum(a: usize, b: usize, out: usize, count: i32): void {
  for (let j = 0; j < count << 2; j += 16) {
    v128.store(out + j, f32x4.add(v128.load(a + j), v128.load(b + j)));
  }
}

export function fill(y: usize, value: f32, count: i32): void {
  for (let j = 0; j < count; j++) store<f32>(y + (j << 2), value);
}

export function zero(y: usize, count: i32): void {
  memory.fill(y, 0, <usize>count << 2);
}

export function copy(x: usize, y: usize, count: i32): void {
  memory.copy(y, x, <usize>count << 2);
}

/** Sum of squares in f64. */
export function sumOfSquares(x: usize, count: i32): f64 {
  let total = f64x2.splat(0);
  for (let j = 0; j < count << 2; j += 16) {
    const value = v128.load(x + j);
    const low = f64x2.promote_low_f32x4(value);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 0, 1));
    total = f64x2.add(total, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
  }
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}

/** Dot product in f64. */
export function dot(x: usize, y: usize, count: i32): f64 {
  let total: f64 = 0;
  for (let j = 0; j < count; j++) total += <f64>load<f32>(x + (j << 2)) * <f64>load<f32>(y + (j << 2));
  return total;
}

/** y += scale * x. */
export function addScaled(y: usize, x: usize, scale: f32, count: i32): void {
  for (let j = 0; j < count; j++) {
    store<f32>(y + (j << 2), load<f32>(y + (j << 2)) + scale * load<f32>(x + (j << 2)));
  }
}

/** One step of splitmix64 (Steele et al. 2014). */
// @ts-ignore: decorator
@inline
function mix(state: u64): u64 {
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** Normal values of the given standard deviation by Box-Muller; equal seeds give equal values. */
export function normal(y: usize, count: i32, deviation: f64, seed: u32, stream: u32): void {
  let state = ((<u64>seed << 32) | <u64>stream) * 0x9e3779b97f4a7c15;
  for (let j = 0; j < count; j++) {
    state += 0x9e3779b97f4a7c15;
    const u = <f64>((mix(state) >> 11) + 1) / 9007199254740993.0;
    state += 0x9e3779b97f4a7c15;
    const turn = <f64>(mix(state) >> 11) / 9007199254740992.0;
    store<f32>(y + (j << 2), <f32>(deviation * Math.sqrt(-2.0 * Math.log(u)) * Math.cos(2.0 * Math.PI * turn)));
  }
}
