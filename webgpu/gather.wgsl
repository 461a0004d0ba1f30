// out[i][c] = x[i][order[c]], the order as f32.

struct Params {
  rows: u32,
  xCols: u32,
  outCols: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<f32>;
@group(1) @binding(1) var<storage, read> order: array<f32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  if (index >= p.rows * p.outCols) { return; }
  out[index] = x[index / p.outCols * p.xCols + u32(order[index % p.outCols])];
}
