// out = x + y, into another tensor or in place; y may be one row for all.

struct Params {
  count: u32,
  period: u32,      // numbers after which y begins again
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read_write> out: array<f32>;
@group(1) @binding(1) var<storage, read> y: array<f32>;
@group(1) @binding(2) var<storage, read> x: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  if (index < p.count) { out[index] = x[index] + y[index % p.period]; }
}

@compute @workgroup_size(64)
fn inPlace(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  if (index < p.count) { out[index] += y[index % p.period]; }
}
