// An image [3 * size, size] cut into patches, each flat as [channel, y, x], in row order.

struct Params {
  size: u32,
  patchSize: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<f32>;
@group(1) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  if (index >= 3u * p.size * p.size) { return; }
  let width = 3u * p.patchSize * p.patchSize;
  let own = index / width;
  let inside = index % width;
  let channel = inside / (p.patchSize * p.patchSize);
  let across = p.size / p.patchSize;
  let y = own / across * p.patchSize + inside / p.patchSize % p.patchSize;
  let column = own % across * p.patchSize + inside % p.patchSize;
  out[index] = x[(channel * p.size + y) * p.size + column];
}
