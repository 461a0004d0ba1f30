// Eight bytes of a u64 at once, and halves, for the kernels that take blocks apart.

import { fromHalf } from "./half";

export const NIBBLES: u64 = 0x0f0f0f0f0f0f0f0f;
export const PAIRS: u64 = 0x0303030303030303;
export const ONES: u64 = 0x0101010101010101;
export const HIGH: u64 = 0x8080808080808080;

// @ts-ignore: decorator
@inline
export function half(at: usize): f32 {
  return fromHalf(load<u16>(at));
}

/** Each of eight bytes below 128 less `by`. */
// @ts-ignore: decorator
@inline
export function minus(bytes: u64, by: u64): u64 {
  return ((bytes | HIGH) - by * ONES) ^ HIGH;
}
