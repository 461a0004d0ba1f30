// Table look-up: out[outFirst + i] = table[tokens[i]], for the rows of the table that lie in this binding.

@group(1) @binding(1) var<storage, read> tokens: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  let i = index / p.cols;
  if (i >= p.tokens) { return; }
  let row = tokens[p.xFirst + i] - p.firstRow;
  if (row < p.rows) { out[p.outFirst * p.cols + index] = weightAt(row, index % p.cols); }
}
