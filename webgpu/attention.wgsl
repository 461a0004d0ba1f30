// Softmax attention over cached keys and values, 64 positions at a time with a running maximum (Milakov & Gimelshein 2018).
// A workgroup a query row and head; in the first half of a turn an invocation has a key, in the second DIMS columns.

struct Params {
  rows: u32,
  start: u32,
  context: u32,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  causal: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> q: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<f32, DIMS * 64u>;
var<workgroup> shares: array<f32, 64>;
var<workgroup> parts: array<f32, 64>;

fn largest(t: u32, own: f32) -> f32 {
  parts[t] = own;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (t < half) { parts[t] = max(parts[t], parts[t + half]); }
    workgroupBarrier();
  }
  let found = parts[0];
  workgroupBarrier();
  return found;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count);
  let row = index / p.heads;
  if (row >= p.rows) { return; }
  let head = index % p.heads;
  let kvHead = head / (p.heads / p.kvHeads);
  let seen = select(p.context, min(p.context, p.start + row + 1u), p.causal == 1u);
  let scale = 1.0 / sqrt(f32(p.headDim));
  for (var d = t; d < p.headDim; d += 64u) { query[d] = q[index * p.headDim + d]; }
  workgroupBarrier();
  var sums = array<f32, DIMS>();
  var top = -3.0e38;
  var weight = 0.0;
  for (var begin = 0u; begin < seen; begin += 64u) {
    let here = min(64u, seen - begin);
    var score = -3.0e38;
    if (t < here) { score = keyDot(begin + t, kvHead) * scale; }
    let before = top;
    top = max(top, largest(t, score));
    shares[t] = select(0.0, exponential(score - top), t < here);
    workgroupBarrier();
    let fade = exponential(before - top);
    weight *= fade;
    for (var i = 0u; i < DIMS; i++) { sums[i] *= fade; }
    for (var key = 0u; key < here; key++) {
      let share = shares[key];
      weight += share;
      for (var i = 0u; i < DIMS; i++) {
        let d = t + 64u * i;
        if (d < p.headDim) { sums[i] += share * valueAt(begin + key, kvHead, d); }
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < DIMS; i++) {
    let d = t + 64u * i;
    if (d < p.headDim) { out[index * p.headDim + d] = sums[i] / weight; }
  }
}
