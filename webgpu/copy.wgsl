// Moves words: out[to + i] = x[begin + i]. A kernel, so that the pass goes on.

struct Params {
  count: u32,
  begin: u32,
  to: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  if (index < p.count) { out[p.to + index] = x[p.begin + index]; }
}
