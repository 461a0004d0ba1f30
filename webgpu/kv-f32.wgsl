// Keys and values as f32, [positions, kvHeads * headDim].

@group(1) @binding(1) var<storage, read> keys: array<f32>;
@group(1) @binding(2) var<storage, read> values: array<f32>;

fn keyDot(position: u32, head: u32) -> f32 {
  let at = (position * p.kvHeads + head) * p.headDim;
  var sum = 0.0;
  for (var d = 0u; d < p.headDim; d++) { sum += query[d] * keys[at + d]; }
  return sum;
}

fn valueAt(position: u32, head: u32, d: u32) -> f32 {
  return values[(position * p.kvHeads + head) * p.headDim + d];
}
