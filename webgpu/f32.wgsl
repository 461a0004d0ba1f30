// Weights as plain f32, [rows, cols].

@group(1) @binding(0) var<storage, read> weights: array<f32>;

fn weightAt(row: u32, col: u32) -> f32 {
  return weights[row * p.cols + col];
}
