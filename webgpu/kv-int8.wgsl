// Keys and values as int8, a scale a head and position: [positions, kvHeads] of 1 + ceil(headDim / 4) words, the scale first.

@group(1) @binding(1) var<storage, read> keys: array<u32>;
@group(1) @binding(2) var<storage, read> values: array<u32>;

fn placeOf(position: u32, head: u32) -> u32 {
  return (position * p.kvHeads + head) * (1u + (p.headDim + 3u) / 4u);
}

fn byteOf(word: u32, n: u32) -> f32 {
  return f32(extractBits(bitcast<i32>(word), 8u * n, 8u));
}

fn keyDot(position: u32, head: u32) -> f32 {
  let at = placeOf(position, head);
  var sum = 0.0;
  for (var d = 0u; d < p.headDim; d++) { sum += query[d] * byteOf(keys[at + 1u + d / 4u], d % 4u); }
  return sum * bitcast<f32>(keys[at]);
}

fn valueAt(position: u32, head: u32, d: u32) -> f32 {
  let at = placeOf(position, head);
  return bitcast<f32>(values[at]) * byteOf(values[at + 1u + d / 4u], d % 4u);
}
