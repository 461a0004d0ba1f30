// Rotary position embedding (Su et al. 2021), from a table of cosines and sines that all layers share.

import { exp64, log64 } from "./exp64";
import { SIMD } from "./lanes";

/** table [rows][headDim / 2][cos, sin] f32 of positions start.., angle = position * theta^(-2i / headDim). */
export function ropeTable(table: usize, rows: i32, start: i32, headDim: i32, theta: f64): void {
  const pairs = headDim >> 1;
  const logTheta = log64(theta);
  for (let i = 0; i < pairs; i++) {
    const frequency = exp64((-2.0 * i * logTheta) / headDim);
    for (let r = 0; r < rows; r++) {
      const angle = <f64>(start + r) * frequency;
      const to = table + (<usize>(r * pairs + i) << 3);
      store<f32>(to, <f32>Math.cos(angle));
      store<f32>(to, <f32>Math.sin(angle), 4);
    }
  }
}

/** Rotates x [rows, heads * headDim] in place; `half`: pairs are (i, i + headDim / 2), else (2i, 2i + 1). */
export function rope(x: usize, table: usize, rows: i32, heads: i32, headDim: i32, half: bool): void {
  const pairs = headDim >> 1;
  for (let r = 0; r < rows; r++) {
    const turns = table + (<usize>(r * pairs) << 3);
    for (let h = 0; h < heads; h++) {
      let i = 0;
      if (SIMD && half) for (; i + 4 <= pairs; i += 4) turnFour(x + (<usize>i << 2), <usize>pairs << 2, turns + (<usize>i << 3));
      for (; i < pairs; i++) {
        const cosine = load<f32>(turns + (<usize>i << 3));
        const sine = load<f32>(turns + (<usize>i << 3), 4);
        const first = x + (<usize>i << (half ? 2 : 3));
        const second = half ? first + (<usize>pairs << 2) : first + 4;
        const a = load<f32>(first);
        const b = load<f32>(second);
        store<f32>(first, a * cosine - b * sine);
        store<f32>(second, a * sine + b * cosine);
      }
      x += <usize>headDim << 2;
    }
  }
}

/** Four pairs, `apart` bytes between first and second. */
// @ts-ignore: decorator
@inline
function turnFour(x: usize, apart: usize, turns: usize): void {
  const even = v128.load(turns);
  const odd = v128.load(turns, 16);
  const cosine = v128.shuffle<f32>(even, odd, 0, 2, 4, 6);
  const sine = v128.shuffle<f32>(even, odd, 1, 3, 5, 7);
  const a = v128.load(x);
  const b = v128.load(x + apart);
  v128.store(x, f32x4.sub(f32x4.mul(a, cosine), f32x4.mul(b, sine)));
  v128.store(x + apart, f32x4.add(f32x4.mul(a, sine), f32x4.mul(b, cosine)));
}
