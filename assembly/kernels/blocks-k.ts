// The K types of ggml, 256 columns a block: two-level scales and 2 to 6 bits, to signed byte codes. See blocks.ts.

import { NIBBLES, ONES, PAIRS, half, minus } from "./words";

export function unpackQ2K(from: usize, codes: usize, scales: usize, offsets: usize): void {
  const d = half(from + 80);
  const dmin = half(from + 82);
  for (let g: usize = 0; g < 16; g++) {
    const both = load<u8>(from + g);
    store<f32>(scales + (g << 4), d * <f32>(both & 15));
    store<f32>(offsets + (g << 4), -(dmin * <f32>(both >> 4)));
  }
  let to = codes;
  for (let n: usize = 0; n < 64; n += 32) {
    for (let shift: u64 = 0; shift < 8; shift += 2) {
      for (let i: usize = 0; i < 32; i += 8) store<u64>(to + i, (load<u64>(from + n + i, 16) >> shift) & PAIRS);
      to += 32;
    }
  }
}

export function unpackQ3K(from: usize, codes: usize, scales: usize): void {
  const d = half(from + 108);
  const low = load<u64>(from, 96);
  const high = load<u32>(from, 104);
  for (let g = 0; g < 16; g++) {
    const nibble = <u32>(low >> (<u64>((g & 7) << 3) + (g >= 8 ? 4 : 0))) & 15;
    const top = (high >> (((g & 3) << 3) + ((g >> 2) << 1))) & 3;
    store<f32>(scales + (<usize>g << 4), d * <f32>(<i32>(nibble | (top << 4)) - 32));
  }
  let to = codes;
  let bit: u64 = 0;
  for (let n: usize = 0; n < 64; n += 32) {
    for (let shift: u64 = 0; shift < 8; shift += 2) {
      for (let i: usize = 0; i < 32; i += 8) {
        const pair = (load<u64>(from + n + i, 32) >> shift) & PAIRS;
        const third = ((load<u64>(from + i) >> bit) & ONES) << 2;
        store<u64>(to + i, minus(pair | third, 4));
      }
      to += 32;
      bit++;
    }
  }
}

/** The eight 6-bit scales and minima of Q4_K and Q5_K, packed in 12 bytes at from + 4. */
function unpackScalesK(from: usize, scales: usize, offsets: usize): void {
  const d = half(from);
  const dmin = half(from + 2);
  for (let j: usize = 0; j < 8; j++) {
    const at = from + j;
    const a = load<u8>(at, 4);
    const b = load<u8>(at, 8);
    let scale = a & 63;
    let least = b & 63;
    if (j >= 4) {
      scale = (b & 15) | ((load<u8>(at) >> 6) << 4);
      least = (b >> 4) | ((a >> 6) << 4);
    }
    store<f32>(scales + (j << 4), d * <f32>scale);
    store<f32>(offsets + (j << 4), -(dmin * <f32>least));
  }
}

export function unpackQ4K(from: usize, codes: usize, scales: usize, offsets: usize): void {
  unpackScalesK(from, scales, offsets);
  for (let c: usize = 0; c < 4; c++) {
    for (let i: usize = 0; i < 32; i += 8) {
      const pair = load<u64>(from + (c << 5) + i, 16);
      store<u64>(codes + (c << 6) + i, pair & NIBBLES);
      store<u64>(codes + (c << 6) + i, (pair >> 4) & NIBBLES, 32);
    }
  }
}

export function unpackQ5K(from: usize, codes: usize, scales: usize, offsets: usize): void {
  unpackScalesK(from, scales, offsets);
  for (let c: usize = 0; c < 4; c++) {
    for (let i: usize = 0; i < 32; i += 8) {
      const pair = load<u64>(from + (c << 5) + i, 48);
      const bits = load<u64>(from + i, 16) >> (<u64>c << 1);
      store<u64>(codes + (c << 6) + i, (pair & NIBBLES) | ((bits & ONES) << 4));
      store<u64>(codes + (c << 6) + i, ((pair >> 4) & NIBBLES) | (((bits >> 1) & ONES) << 4), 32);
    }
  }
}

export function unpackQ6K(from: usize, codes: usize, scales: usize): void {
  const d = half(from + 208);
  for (let g: usize = 0; g < 16; g++) store<f32>(scales + (g << 4), d * <f32>load<i8>(from + g, 192));
  for (let n: usize = 0; n < 2; n++) {
    const low = from + (n << 6);
    const high = from + 128 + (n << 5);
    const to = codes + (n << 7);
    for (let i: usize = 0; i < 32; i += 8) {
      const a = load<u64>(low + i);
      const b = load<u64>(low + i, 32);
      const top = load<u64>(high + i);
      store<u64>(to + i, minus((a & NIBBLES) | ((top & PAIRS) << 4), 32));
      store<u64>(to + i, minus((b & NIBBLES) | (((top >> 2) & PAIRS) << 4), 32), 32);
      store<u64>(to + i, minus(((a >> 4) & NIBBLES) | (((top >> 4) & PAIRS) << 4), 32), 64);
      store<u64>(to + i, minus(((b >> 4) & NIBBLES) | (((top >> 6) & PAIRS) << 4), 32), 96);
    }
  }
}
