// RMSNorm (Zhang & Sennrich 2019) and LayerNorm (Ba et al. 2016), forward and backward, over [rows, columns].
// Forward saves 1/rms or (mean, 1/sigma) a row. Backward adds to dx (the residual stream) and to the weights'
// gradients.
import { sum4 } from "./exponential";

/** y = x / rms(x) * w; inverse [rows] keeps 1/rms. */
export function rmsnorm(x: usize, w: usize, y: usize, inverse: usize, rows: i32, columns: i32, epsilon: f32): void {
  for (let r = 0; r < rows; r++) {
    const base = (r * columns) << 2;
    let squares = f32x4.splat(0);
    for (let j = 0; j < columns << 2; j += 16) {
      const value = v128.load(x + base + j);
      squares = f32x4.add(squares, f32x4.mul(value, value));
    }
    const scale: f32 = 1.0 / sqrt<f32>(sum4(squares) / <f32>columns + epsilon);
    store<f32>(inverse + (r << 2), scale);
    const scales = f32x4.splat(scale);
    for (let j = 0; j < columns << 2; j += 16) {
      v128.store(y + base + j, f32x4.mul(f32x4.mul(v128.load(x + base + j), scales), v128.load(w + j)));
    }
  }
}

/** dx += gradient; dw += gradient. */
export function rmsnormBackward(
  dy: usize, x: usize, w: usize, inverse: usize, dx: usize, dw: usize, rows: i32, columns: i32,
): void {
  for (let r = 0; r < rows; r++) {
    const base = (r * columns) << 2;
    const scale = load<f32>(inverse + (r << 2));
    const scales = f32x4.splat(scale);
    let dots = f32x4.splat(0);
    for (let j = 0; j < columns << 2; j += 16) {
      const g = v128.load(dy + base + j);
      const normal = f32x4.mul(v128.load(x + base + j), scales);
      dots = f32x4.add(dots, f32x4.mul(f32x4.mul(g, v128.load(w + j)), normal));
      v128.store(dw + j, f32x4.add(v128.load(dw + j), f32x4.mul(g, normal)));
    }
    const mean = f32x4.splat(sum4(dots) / <f32>columns);
    for (let j = 0; j < columns << 2; j += 16) {
      const normal = f32x4.mul(v128.load(x + base + j), scales);
      const inner = f32x4.sub(f32x4.mul(v128.load(dy + base + j), v128.load(w + j)), f32x4.mul(normal, mean));
      v128.store(dx + base + j, f32x4.add(v128.load(dx + base + j), f32x4.mul(inner, scales)));
    }
  }
}

/** y = (x - mean) / sigma * w + b; saved [rows, 2] keeps mean and 1/sigma. */
export function layernorm(
  x: usize, w: usize, b: usize, y: usize, saved: usize, rows: i32, columns: i32, epsilon: f32,
): void {
  for (let r = 0; r < rows; r++) {
    const base = (r * columns) << 2;
    let total = f32x4.splat(0);
    for (let j = 0; j < columns << 2; j += 16) total = f32x4.add(total, v128.load(x + base + j));
    const mean = sum4(total) / <f32>columns;
    const means = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    for (let j = 0; j < columns << 2; j += 16) {
      const centred = f32x4.sub(v128.load(x + base + j), means);
      squares = f32x4.add(squares, f32x4.mul(centred, centred));
    }
    const scale: f32 = 1.0 / sqrt<f32>(sum4(squares) / <f32>columns + epsilon);
    store<f32>(saved + (r << 3), mean);
    store<f32>(saved + (r << 3), scale, 4);
    const scales = f32x4.splat(scale);
    for (let j = 0; j < columns << 2; j += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + base + j), means), scales);
      v128.store(y + base + j, f32x4.add(f32x4.mul(normal, v128.load(w + j)), v128.load(b + j)));
    }
  }
}

/** dx += gradient; dw, db += gradients. */
export function layernormBackward(
  dy: usize, x: usize, w: usize, saved: usize, dx: usize, dw: usize, db: usize, rows: i32, columns: i32,
): void {
  for (let r = 0; r < rows; r++) {
    const base = (r * columns) << 2;
    const means = f32x4.splat(load<f32>(saved + (r << 3)));
    const scales = f32x4.splat(load<f32>(saved + (r << 3), 4));
    let total = f32x4.splat(0);
    let dots = f32x4.splat(0);
    for (let j = 0; j < columns << 2; j += 16) {
      const g = v128.load(dy + base + j);
      const normal = f32x4.mul(f32x4.sub(v128.load(x + base + j), means), scales);
      const weighted = f32x4.mul(g, v128.load(w + j));
      total = f32x4.add(total, weighted);
      dots = f32x4.add(dots, f32x4.mul(weighted, normal));
      v128.store(dw + j, f32x4.add(v128.load(dw + j), f32x4.mul(g, normal)));
      v128.store(db + j, f32x4.add(v128.load(db + j), g));
    }
    const mean = f32x4.splat(sum4(total) / <f32>columns);
    const projection = f32x4.splat(sum4(dots) / <f32>columns);
    for (let j = 0; j < columns << 2; j += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + base + j), means), scales);
      const weighted = f32x4.mul(v128.load(dy + base + j), v128.load(w + j));
      const inner = f32x4.sub(f32x4.sub(weighted, mean), f32x4.mul(normal, projection));
      v128.store(dx + base + j, f32x4.add(v128.load(dx + base + j), f32x4.mul(inner, scales)));
    }
  }
}
