// The 8 columns of one row in a step of int4 records, codes still with their zero, in f32.

fn low4(word: u32) -> vec4<f32> {
  return vec4<f32>(vec4(word & 15u, extractBits(word, 8u, 4u), extractBits(word, 16u, 4u), extractBits(word, 24u, 4u)));
}

fn dotLane(word: u32, a: vec4<f32>, b: vec4<f32>) -> f32 {
  return dot(low4(word), a) + dot(low4(word >> 4u), b);
}
