// The 8 columns of one row in a step of int4 records: products of four columns in f16 (shader-f16), sums of them in f32.

fn low4(word: u32) -> vec4<f16> {
  return vec4<f16>(vec4(word & 15u, extractBits(word, 8u, 4u), extractBits(word, 16u, 4u), extractBits(word, 24u, 4u)));
}

fn dotLane(word: u32, a: vec4<f32>, b: vec4<f32>) -> f32 {
  return f32(dot(low4(word), vec4<f16>(a))) + f32(dot(low4(word >> 4u), vec4<f16>(b)));
}
