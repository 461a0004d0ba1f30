// Normalisations: a workgroup a row. RMSNorm after Zhang & Sennrich 2019, LayerNorm after Ba et al. 2016.

struct Params {
  cols: u32,
  rows: u32,
  xFirst: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<f32>;
@group(1) @binding(1) var<storage, read> weight: array<f32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;
@group(1) @binding(3) var<storage, read> bias: array<f32>;

var<workgroup> parts: array<f32, 64>;

fn total(t: u32, part: f32) -> f32 {
  parts[t] = part;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (t < half) { parts[t] += parts[t + half]; }
    workgroupBarrier();
  }
  let sum = parts[0];
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(64)
fn rmsnorm(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let row = indexOf(id, count);
  if (row >= p.rows) { return; }
  let at = (p.xFirst + row) * p.cols;
  var part = 0.0;
  for (var i = t; i < p.cols; i += 64u) { part += x[at + i] * x[at + i]; }
  let scale = inverseSqrt(total(t, part) / f32(p.cols) + p.eps);
  for (var i = t; i < p.cols; i += 64u) { out[row * p.cols + i] = x[at + i] * scale * weight[i]; }
}

@compute @workgroup_size(64)
fn layernorm(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let row = indexOf(id, count);
  if (row >= p.rows) { return; }
  let at = row * p.cols;
  var part = 0.0;
  for (var i = t; i < p.cols; i += 64u) { part += x[at + i]; }
  let mean = total(t, part) / f32(p.cols);
  part = 0.0;
  for (var i = t; i < p.cols; i += 64u) { part += (x[at + i] - mean) * (x[at + i] - mean); }
  let scale = inverseSqrt(total(t, part) / f32(p.cols) + p.eps);
  for (var i = t; i < p.cols; i += 64u) { out[at + i] = (x[at + i] - mean) * scale * weight[i] + bias[i]; }
}
