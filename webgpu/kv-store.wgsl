// Rows into an int8 cache: each head of a row with a scale, half(largest magnitude / 127). An invocation a head and row.

struct Params {
  rows: u32,
  start: u32,
  kvHeads: u32,
  headDim: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<f32>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;

/// The nearest half of a number that is not negative, ties to even.
fn nearestHalf(value: f32) -> f32 {
  if (value < 6.103515625e-5) { return round(value * 16777216.0) / 16777216.0; }
  let bits = bitcast<u32>(value);
  return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  if (index >= p.rows * p.kvHeads) { return; }
  let begin = index * p.headDim;
  let words = (p.headDim + 3u) / 4u;
  let at = (p.start * p.kvHeads + index) * (1u + words);
  var largest = 0.0;
  for (var i = 0u; i < p.headDim; i++) { largest = max(largest, abs(x[begin + i])); }
  let scale = nearestHalf(largest / 127.0);
  let inverse = select(0.0, 1.0 / scale, scale > 0.0);
  out[at] = bitcast<u32>(scale);
  for (var word = 0u; word < words; word++) {
    var codes = 0u;
    for (var i = 0u; i < 4u; i++) {
      let column = 4u * word + i;
      if (column < p.headDim) {
        let code = clamp(i32(round(x[begin + column] * inverse)), -128, 127);
        codes |= (bitcast<u32>(code) & 255u) << (8u * i);
      }
    }
    out[at + 1u + word] = codes;
  }
}
