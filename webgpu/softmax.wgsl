// Row-wise softmax, into another tensor or in place: a workgroup a row.

struct Params {
  cols: u32,
  rows: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read_write> out: array<f32>;
@group(1) @binding(1) var<storage, read> x: array<f32>;

var<workgroup> parts: array<f32, 64>;

fn combined(t: u32, own: f32, isSum: bool) -> f32 {
  parts[t] = own;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (t < half) { parts[t] = select(max(parts[t], parts[t + half]), parts[t] + parts[t + half], isSum); }
    workgroupBarrier();
  }
  let found = parts[0];
  workgroupBarrier();
  return found;
}

/// The row lies in out.
fn finish(t: u32, at: u32) {
  var top = -3.0e38;
  for (var i = t; i < p.cols; i += 64u) { top = max(top, out[at + i]); }
  top = combined(t, top, false);
  var sum = 0.0;
  for (var i = t; i < p.cols; i += 64u) {
    // Exactly 0 far below the top, as f32 has it.
    let power = select(exponential(out[at + i] - top), 0.0, out[at + i] - top < -87.0);
    out[at + i] = power;
    sum += power;
  }
  sum = combined(t, sum, true);
  for (var i = t; i < p.cols; i += 64u) { out[at + i] /= sum; }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let row = indexOf(id, count);
  if (row >= p.rows) { return; }
  for (var i = t; i < p.cols; i += 64u) { out[row * p.cols + i] = x[row * p.cols + i]; }
  finish(t, row * p.cols);
}

@compute @workgroup_size(64)
fn inPlace(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let row = indexOf(id, count);
  if (row < p.rows) { finish(t, row * p.cols); }
}
