// Weights in the layout "r8" of src/core/packed.ts, as records of vec4<u32>: GROUP / 4 vectors of codes, one of 8 half scales,
// and by OFFSET nothing (0: zero is 8), 8 bytes of zero points (1), or 8 half offsets (2).
// Vector 2 s + h of a record holds step s (8 columns) of rows 4 h .. 4 h + 3, a lane a row: low nibbles are columns 0-3.

@group(1) @binding(0) var<storage, read> weights: array<vec4<u32>>;

const STEPS = GROUP / 8u;
const RECORD = GROUP / 4u + select(2u, 1u, OFFSET == 0u);

fn recordOf(block: u32, step: u32) -> u32 {
  return (block * ((p.cols + GROUP - 1u) / GROUP) + step / STEPS) * RECORD;
}

/// Half `n` (0-7) of a vector.
fn halfOf(halves: vec4<u32>, n: u32) -> f32 {
  return unpack2x16float(halves[n / 2u])[n % 2u];
}

fn zeroOf(record: u32, n: u32) -> u32 {
  if (OFFSET == 1u) { return extractBits(weights[record + GROUP / 4u + 1u][n / 4u], 8u * (n % 4u), 8u); }
  return select(0u, 8u, OFFSET == 0u);
}

/// Signed codes, the zero subtracted, four a word.
fn codes8(row: u32, step: u32) -> vec2<u32> {
  let record = recordOf(row / 8u, step);
  let word = weights[record + 2u * (step % STEPS) + row % 8u / 4u][row % 4u];
  // Bytes of 128 + code - zero borrow from none of their neighbours.
  let zeros = zeroOf(record, row % 8u) * 0x01010101u;
  let low = ((word & 0x0f0f0f0fu) | 0x80808080u) - zeros;
  let high = (((word >> 4u) & 0x0f0f0f0fu) | 0x80808080u) - zeros;
  return vec2(low, high) ^ vec2(0x80808080u);
}

/// Scale and offset that stand for the codes of a step.
fn scaleOf(row: u32, step: u32) -> vec2<f32> {
  let record = recordOf(row / 8u, step);
  let scale = halfOf(weights[record + GROUP / 4u], row % 8u);
  if (OFFSET == 2u) { return vec2(scale, halfOf(weights[record + GROUP / 4u + 1u], row % 8u)); }
  return vec2(scale, 0.0);
}

fn codes4(word: u32) -> vec4<f32> {
  let w = bitcast<i32>(word);
  return vec4<f32>(vec4(extractBits(w, 0u, 8u), extractBits(w, 8u, 8u), extractBits(w, 16u, 8u), extractBits(w, 24u, 8u)));
}

fn weights8(row: u32, step: u32) -> Eight {
  if (row >= p.rows) { return Eight(vec4(0.0), vec4(0.0)); }
  let codes = codes8(row, step);
  let scale = scaleOf(row, step);
  return Eight(scale.x * codes4(codes.x) + scale.y, scale.x * codes4(codes.y) + scale.y);
}

fn weightAt(row: u32, col: u32) -> f32 {
  let eight = weights8(row, col / 8u);
  return select(eight.low, eight.high, col % 8u >= 4u)[col % 4u];
}

fn dotLanes(words: vec4<u32>, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return vec4(dotLane(words.x, a, b), dotLane(words.y, a, b), dotLane(words.z, a, b), dotLane(words.w, a, b));
}

fn halves4(a: u32, b: u32) -> vec4<f32> {
  return vec4(unpack2x16float(a), unpack2x16float(b));
}

/// sum: of the 8 columns; products of rows 4 h .. with codes that still have their zero in them.
fn settle(record: u32, products: Eight, sum: f32) -> Eight {
  let scales = weights[record + GROUP / 4u];
  let low = halves4(scales.x, scales.y);
  let high = halves4(scales.z, scales.w);
  if (OFFSET == 0u) { return Eight(low * (products.low - 8.0 * sum), high * (products.high - 8.0 * sum)); }
  let tail = weights[record + GROUP / 4u + 1u];
  if (OFFSET == 1u) {
    let zeros = Eight(unpackBytes(tail.x), unpackBytes(tail.y));
    return Eight(low * (products.low - zeros.low * sum), high * (products.high - zeros.high * sum));
  }
  return Eight(low * products.low + halves4(tail.x, tail.y) * sum, high * products.high + halves4(tail.z, tail.w) * sum);
}

fn unpackBytes(word: u32) -> vec4<f32> {
  return vec4<f32>(vec4(word & 255u, extractBits(word, 8u, 8u), extractBits(word, 16u, 8u), extractBits(word, 24u, 8u)));
}

fn dotStep(block: u32, step: u32, a: vec4<f32>, b: vec4<f32>) -> Eight {
  let record = recordOf(block, step);
  let at = record + 2u * (step % STEPS);
  let products = Eight(dotLanes(weights[at], a, b), dotLanes(weights[at + 1u], a, b));
  return settle(record, products, dot(a + b, vec4(1.0)));
}

fn dotLanesI8(words: vec4<u32>, a: u32, b: u32) -> vec4<f32> {
  let low = words & vec4(0x0f0f0f0fu);
  let high = (words >> vec4(4u)) & vec4(0x0f0f0f0fu);
  return vec4<f32>(vec4(
    dot4(low.x, a) + dot4(high.x, b),
    dot4(low.y, a) + dot4(high.y, b),
    dot4(low.z, a) + dot4(high.z, b),
    dot4(low.w, a) + dot4(high.w, b),
  ));
}

fn dotStepI8(block: u32, step: u32, a: u32, b: u32) -> Eight {
  let record = recordOf(block, step);
  let at = record + 2u * (step % STEPS);
  let products = Eight(dotLanesI8(weights[at], a, b), dotLanesI8(weights[at + 1u], a, b));
  return settle(record, products, f32(dot4(a, 0x01010101u) + dot4(b, 0x01010101u)));
}
