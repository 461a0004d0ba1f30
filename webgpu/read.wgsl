// Plain read of a buffer: the roof that products of one token are held against. Sums, so that nothing is left out.

struct Params {
  vectors: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  var sum = vec4(0u);
  let at = indexOf(id, count) * 4096u + t;
  for (var i = 0u; i < 16u; i++) {
    let index = at + 256u * i;
    if (index < p.vectors) { sum += x[index]; }
  }
  let folded = sum.x + sum.y + sum.z + sum.w;
  // Never true by chance more than once in 2^32 reads: the compiler must not know.
  if (folded == 0x9e3779b9u) { out[0] = folded; }
}
