// f32 rows to the types of GGUF that are written: F16, Q4_0, Q4_1, Q8_0, rounded as ggml's reference quantizers do
// (ggml-quants.c; the products of 4 bits in f64 as gguf-py makes them, since there they depend on fused multiply-adds).

import { toHalf } from "./half";

const F16: i32 = 0;
const Q4_0: i32 = 1;
const Q4_1: i32 = 2;

/** `count` values (f16: any number, else a multiple of 32) at `from` to blocks at `out`. */
export function packBlocks(type: i32, from: usize, count: i32, out: usize): void {
  if (type == F16) {
    for (let i: usize = 0; i < <usize>count; i++) store<u16>(out + (i << 1), toHalf(load<f32>(from + (i << 2))));
    return;
  }
  for (let i = 0; i < count; i += 32) {
    if (type == Q4_0) out = packQ40(from, out);
    else if (type == Q4_1) out = packQ41(from, out);
    else out = packQ80(from, out);
    from += 128;
  }
}

function packQ40(from: usize, out: usize): usize {
  let peak: f32 = 0;
  for (let i: usize = 0; i < 128; i += 4) {
    const value = load<f32>(from + i);
    if (abs(value) > abs(peak)) peak = value;
  }
  const d: f32 = peak / -8;
  store<u16>(out, toHalf(d));
  packNibbles(from, d, 0, 8.5, out + 2);
  return out + 18;
}

function packQ41(from: usize, out: usize): usize {
  let least = load<f32>(from);
  let most = least;
  for (let i: usize = 4; i < 128; i += 4) {
    least = min(least, load<f32>(from + i));
    most = max(most, load<f32>(from + i));
  }
  const d: f32 = (most - least) / 15;
  store<u16>(out, toHalf(d));
  store<u16>(out, toHalf(least), 2);
  packNibbles(from, d, least, 0.5, out + 4);
  return out + 20;
}

/** Column i in the low, column i + 16 in the high nibble of byte i. */
function packNibbles(from: usize, d: f32, least: f32, half: f64, out: usize): void {
  const inverse: f32 = d != 0 ? <f32>1 / d : 0;
  for (let i: usize = 0; i < 16; i++) {
    const low = code(load<f32>(from + (i << 2)) - least, inverse, half);
    const high = code(load<f32>(from + (i << 2), 64) - least, inverse, half);
    store<u8>(out + i, low | (high << 4));
  }
}

// @ts-ignore: decorator
@inline
function code(value: f32, inverse: f32, half: f64): u32 {
  return <u32>min(15, max(0, <i32>(<f64>value * <f64>inverse + half)));
}

function packQ80(from: usize, out: usize): usize {
  let most: f32 = 0;
  for (let i: usize = 0; i < 128; i += 4) most = max(most, abs(load<f32>(from + i)));
  const d: f32 = most / 127;
  const inverse: f32 = d != 0 ? <f32>1 / d : 0;
  store<u16>(out, toHalf(d));
  for (let i: usize = 0; i < 32; i++) {
    const value = load<f32>(from + (i << 2)) * inverse;
    // To nearest, halves away from zero.
    const whole = floor(abs(value));
    const rounded = whole + (abs(value) - whole >= 0.5 ? <f32>1 : 0);
    store<i8>(out + i, <i32>(value < 0 ? -rounded : rounded), 2);
  }
  return out + 34;
}
