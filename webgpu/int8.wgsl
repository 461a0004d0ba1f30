// Weights in int8 with a scale a row: the scales of all rows (f32, padded to 4), then codes [rows, cols padded to 32].

@group(1) @binding(0) var<storage, read> weights: array<u32>;

fn stride() -> u32 {
  return (p.cols + 31u) / 32u * 8u;
}

fn codesAt(row: u32) -> u32 {
  return (p.rows + 3u) / 4u * 4u + row * stride();
}

fn codes4(word: u32) -> vec4<f32> {
  let w = bitcast<i32>(word);
  return vec4<f32>(vec4(extractBits(w, 0u, 8u), extractBits(w, 8u, 8u), extractBits(w, 16u, 8u), extractBits(w, 24u, 8u)));
}

fn weightAt(row: u32, col: u32) -> f32 {
  return bitcast<f32>(weights[row]) * codes4(weights[codesAt(row) + col / 4u])[col % 4u];
}

/// Four signed codes a word of columns 8 step .. 8 step + 7.
fn codes8(row: u32, step: u32) -> vec2<u32> {
  if (row >= p.rows) { return vec2(0u); }
  let at = codesAt(row) + 2u * step;
  return vec2(weights[at], weights[at + 1u]);
}

/// Scale and offset that stand for the codes of a step.
fn scaleOf(row: u32, step: u32) -> vec2<f32> {
  return vec2(select(0.0, bitcast<f32>(weights[min(row, p.rows - 1u)]), row < p.rows), 0.0);
}

fn weights8(row: u32, step: u32) -> Eight {
  let codes = codes8(row, step);
  let scale = scaleOf(row, step).x;
  return Eight(scale * codes4(codes.x), scale * codes4(codes.y));
}

fn dotRow(row: u32, step: u32, a: vec4<f32>, b: vec4<f32>) -> f32 {
  let codes = codes8(row, step);
  return scaleOf(row, step).x * (dot(codes4(codes.x), a) + dot(codes4(codes.y), b));
}

fn dotStep(block: u32, step: u32, a: vec4<f32>, b: vec4<f32>) -> Eight {
  let row = 8u * block;
  return Eight(
    vec4(dotRow(row, step, a, b), dotRow(row + 1u, step, a, b), dotRow(row + 2u, step, a, b), dotRow(row + 3u, step, a, b)),
    vec4(dotRow(row + 4u, step, a, b), dotRow(row + 5u, step, a, b), dotRow(row + 6u, step, a, b), dotRow(row + 7u, step, a, b)),
  );
}

fn dotRowI8(row: u32, step: u32, a: u32, b: u32) -> f32 {
  let codes = codes8(row, step);
  return scaleOf(row, step).x * f32(dot4(codes.x, a) + dot4(codes.y, b));
}

fn dotStepI8(block: u32, step: u32, a: u32, b: u32) -> Eight {
  let row = 8u * block;
  return Eight(
    vec4(dotRowI8(row, step, a, b), dotRowI8(row + 1u, step, a, b), dotRowI8(row + 2u, step, a, b), dotRowI8(row + 3u, step, a, b)),
    vec4(dotRowI8(row + 4u, step, a, b), dotRowI8(row + 5u, step, a, b), dotRowI8(row + 6u, step, a, b), dotRowI8(row + 7u, step, a, b)),
  );
}
