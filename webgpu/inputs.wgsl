// Activations of a product as f32, of any width.

@group(1) @binding(1) var<storage, read> x: array<f32>;

/// Columns 8 step .. 8 step + 7 of a row; 0 beyond the last one.
fn input8(token: u32, step: u32) -> Eight {
  let row = (p.xFirst + token) * p.cols;
  var eight = Eight(vec4(0.0), vec4(0.0));
  for (var i = 0u; i < 4u; i++) {
    if (8u * step + i < p.cols) { eight.low[i] = x[row + 8u * step + i]; }
    if (8u * step + 4u + i < p.cols) { eight.high[i] = x[row + 8u * step + 4u + i]; }
  }
  return eight;
}
