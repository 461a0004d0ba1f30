// Rotary position embedding (Su et al. 2021) in the "half" pairing of Hugging Face: element j turns with j + headDim/2.
// The backward pass is the rotation by the opposite angle.

/** table [positions, half, 2] = cos, sin of position * theta^(-j/half). */
export function ropeTable(table: usize, positions: i32, half: i32, theta: f64): void {
  for (let p = 0; p < positions; p++) {
    for (let j = 0; j < half; j++) {
      const angle = <f64>p * Math.pow(theta, -(<f64>j) / <f64>half);
      const at = table + ((p * half) << 3) + (j << 2);
      store<f32>(at, <f32>Math.cos(angle));
      store<f32>(at + (half << 2), <f32>Math.sin(angle));
    }
  }
}

/** Turns `heads` heads of x [rows, stride] in place by +angle (sign 1) or -angle (sign -1). headDim % 8 == 0. */
export function rope(
  x: usize, stride: i32, positions: usize, table: usize, rows: i32, heads: i32, headDim: i32, sign: f32,
): void {
  const half = headDim >> 1;
  const signs = f32x4.splat(sign);
  for (let r = 0; r < rows; r++) {
    const cos = table + ((load<i32>(positions + (r << 2)) * half) << 3);
    const sin = cos + (half << 2);
    for (let h = 0; h < heads; h++) {
      const low = x + ((r * stride + h * headDim) << 2);
      const high = low + (half << 2);
      for (let j = 0; j < half << 2; j += 16) {
        const c = v128.load(cos + j);
        const s = f32x4.mul(v128.load(sin + j), signs);
        const a = v128.load(low + j);
        const b = v128.load(high + j);
        v128.store(low + j, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
        v128.store(high + j, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
      }
    }
  }
}
