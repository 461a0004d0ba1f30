// A pointer chase by one invocation: what one dependent read takes. `fill` lays a cycle through the lines of a buffer, a linear
// congruential sequence of full period (Knuth, TAOCP vol. 2, 3.2.1.2: a = 1 mod 4, odd step); `main` follows it.

struct Params {
  lines: u32,       // a power of two
  stride: u32,      // words from line to line, at least 2
  steps: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read_write> cells: array<u32>;

@compute @workgroup_size(64)
fn fill(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let line = indexOf(id, count) * 64u + t;
  if (line < p.lines) { cells[line * p.stride] = ((line * 1664525u + 1013904223u) & (p.lines - 1u)) * p.stride; }
}

/// Word 1 belongs to no link: it holds where the chase is.
@compute @workgroup_size(1)
fn main() {
  var at = 0u;
  for (var i = 0u; i < p.steps; i++) { at = cells[at]; }
  cells[1] = at;
}
