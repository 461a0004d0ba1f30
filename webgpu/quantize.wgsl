// Activations to int8: SHARE columns share a scale, largest magnitude / 127; codes to nearest even. An invocation a share.
// Output: codes [tokens, shares, SHARE / 4 words], then scales [tokens, shares].

struct Params {
  cols: u32,
  tokens: u32,
  xFirst: u32,
  scalesAt: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<f32>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let shares = (p.cols + SHARE - 1u) / SHARE;
  let index = indexOf(id, count) * 64u + t;
  let token = index / shares;
  if (token >= p.tokens) { return; }
  let begin = index % shares * SHARE;
  let width = min(SHARE, p.cols - begin);
  let at = (p.xFirst + token) * p.cols + begin;
  var largest = 0.0;
  for (var i = 0u; i < width; i++) { largest = max(largest, abs(x[at + i])); }
  let inverse = select(0.0, 127.0 / largest, largest > 0.0);
  for (var word = 0u; word < SHARE / 4u; word++) {
    var codes = 0u;
    for (var i = 0u; i < 4u; i++) {
      let column = 4u * word + i;
      if (column < width) { codes |= (bitcast<u32>(i32(round(x[at + column] * inverse))) & 255u) << (8u * i); }
    }
    out[index * (SHARE / 4u) + word] = codes;
  }
  out[p.scalesAt + index] = bitcast<u32>(largest / 127.0);
}
