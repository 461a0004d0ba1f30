// Data movement of imported checkpoints: columns in another order (GPTQ's act-order) and rotation tables of scaled RoPE.

import { exp64, log64 } from "./exp64";

/** out[r][c] = x[r][order[c]]; x [rows, cols], out [rows, outCols], order f32 [outCols] of whole numbers below cols. */
export function gatherColumns(x: usize, order: usize, out: usize, rows: i32, cols: i32, outCols: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < outCols; c++) {
      const from = <usize>min(<u32>load<f32>(order + (<usize>c << 2)), <u32>(cols - 1));
      store<f32>(out + (<usize>c << 2), load<f32>(x + (from << 2)));
    }
    x += <usize>cols << 2;
    out += <usize>outCols << 2;
  }
}

/** As `ropeTable`, the frequency of pair i divided by factors[i], f64 [headDim / 2 + 1]; the last is what all is multiplied by. */
export function ropeTableScaled(table: usize, rows: i32, start: i32, headDim: i32, theta: f64, factors: usize): void {
  const pairs = headDim >> 1;
  const logTheta = log64(theta);
  const gain = load<f64>(factors + (<usize>pairs << 3));
  for (let i = 0; i < pairs; i++) {
    const frequency = exp64((-2.0 * i * logTheta) / headDim) / load<f64>(factors + (<usize>i << 3));
    for (let r = 0; r < rows; r++) {
      const angle = <f64>(start + r) * frequency;
      const to = table + (<usize>(r * pairs + i) << 3);
      store<f32>(to, <f32>(gain * Math.cos(angle)));
      store<f32>(to, <f32>(gain * Math.sin(angle)), 4);
    }
  }
}
