// AWQ's channel scales: the points of its grid, folding them into matrices, heads that share one, and clamping to limits.

import { largest } from "./awq";
import { at4 } from "./task";

/** out = w clamped to +-limits of its groups; out may be w. */
export function clamp(w: usize, rows: i32, cols: i32, group: i32, limits: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>rows * <usize>cols; i++) {
    const limit = load<f32>(at4(limits, i / <usize>group));
    store<f32>(at4(out, i), max(-limit, min(limit, load<f32>(at4(w, i)))));
  }
}

/**
 * s [cols] = the scales of grid point `ratio`: x^ratio, at least 1e-4, over sqrt(max * min). `magnitude` f32 [cols] is the mean
 * |w| within its group (AutoAWQ's duo scaling: x^ratio / (magnitude^(1 - ratio) + 1e-4)), or 0.
 */
export function gridScales(means: usize, magnitude: usize, cols: i32, ratio: f64, s: usize): void {
  let low: f64 = Infinity;
  let high: f64 = 0;
  for (let c = 0; c < cols; c++) {
    let value = Math.pow(<f64>load<f32>(at4(means, c)), ratio);
    if (magnitude) value /= Math.pow(<f64>load<f32>(at4(magnitude, c)), 1 - ratio) + 1e-4;
    value = max(value, 1e-4);
    low = min(low, value);
    high = max(high, value);
    store<f32>(at4(s, c), <f32>value);
  }
  const norm = Math.sqrt(low * high);
  for (let c = 0; c < cols; c++) {
    const value = <f32>(<f64>load<f32>(at4(s, c)) / norm);
    store<f32>(at4(s, c), isFinite(value) && value > 0 ? value : 1);
  }
}

/** out [cols] += sum over rows of |w| / (group's largest |w| + 1e-6): AutoAWQ's w_mean before the division by rows. */
export function magnitudeAdd(w: usize, rows: i32, cols: i32, group: i32, out: usize): void {
  for (let r = 0; r < rows; r++) {
    for (let c0 = 0; c0 < cols; c0 += group) {
      const from = at4(w, <usize>r * <usize>cols + <usize>c0);
      const inverse = <f32>1 / (largest(from, group) + <f32>1e-6);
      for (let c = 0; c < group; c++) {
        const to = at4(out, <usize>(c0 + c));
        store<f32>(to, load<f32>(to) + abs(load<f32>(at4(from, c))) * inverse);
      }
    }
  }
}

/** w[r][c] *= s[c] (power 1) or /= s[c] (power -1). */
export function scaleColumns(w: usize, rows: i32, cols: i32, s: usize, power: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const at = at4(w, <usize>r * <usize>cols + <usize>c);
      const by = load<f32>(at4(s, c));
      store<f32>(at, power > 0 ? load<f32>(at) * by : load<f32>(at) / by);
    }
  }
}

/** w[r][c] /= s[r]. */
export function divideRows(w: usize, rows: i32, cols: i32, s: usize): void {
  for (let r = 0; r < rows; r++) {
    const by = load<f32>(at4(s, r));
    for (let c = 0; c < cols; c++) {
      const at = at4(w, <usize>r * <usize>cols + <usize>c);
      store<f32>(at, load<f32>(at) / by);
    }
  }
}

/** out [kvHeads * headDim] = mean of means [heads * headDim] over the heads that share a key and value head. */
export function groupHeads(means: usize, heads: i32, kvHeads: i32, headDim: i32, out: usize): void {
  const share = heads / kvHeads;
  for (let i = 0; i < kvHeads * headDim; i++) {
    let sum: f32 = 0;
    for (let j = 0; j < share; j++) {
      sum += load<f32>(at4(means, ((i / headDim) * share + j) * headDim + (i % headDim)));
    }
    store<f32>(at4(out, i), sum / <f32>share);
  }
}

/** out [heads * headDim]: each key and value head's scales for all heads that share it. */
export function spreadHeads(s: usize, heads: i32, kvHeads: i32, headDim: i32, out: usize): void {
  const share = heads / kvHeads;
  for (let i = 0; i < heads * headDim; i++) {
    store<f32>(at4(out, i), load<f32>(at4(s, (i / headDim / share) * headDim + (i % headDim))));
  }
}
