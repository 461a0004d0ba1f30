// The 8 columns of one row in a step of int4 records: products in f16 (shader-f16), sums of them in f32. Codes are taken about 8,
// where they are small and exact, and activations 16 times smaller, so that no product exceeds f16 before they do.

fn low4(word: u32) -> vec4<f16> {
  let codes = vec4(word & 15u, extractBits(word, 8u, 4u), extractBits(word, 16u, 4u), extractBits(word, 24u, 4u));
  return vec4<f16>(vec4<i32>(codes) - vec4(8));
}

fn dotLane(word: u32, a: vec4<f32>, b: vec4<f32>) -> f32 {
  let low = vec4<f32>(low4(word) * vec4<f16>(0.0625 * a));
  let high = vec4<f32>(low4(word >> 4u) * vec4<f16>(0.0625 * b));
  return dot(16.0 * (low + high) + 8.0 * (a + b), vec4(1.0));
}
