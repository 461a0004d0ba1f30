// Elementwise functions, into another tensor or in place. KIND 0: silu, 1: gelu (exact erf), 2: quickGelu, 3: silu(x) * y.

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read_write> out: array<f32>;
@group(1) @binding(1) var<storage, read> y: array<f32>;
@group(1) @binding(2) var<storage, read> x: array<f32>;

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exponential(-x));
}

/// 1 - erf(x) for x >= 0 (Abramowitz & Stegun 7.1.26), at most 1.5e-7 off.
fn erfc(x: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.3275911 * x);
  let series = fma(fma(fma(fma(1.061405429, t, -1.453152027), t, 1.421413741), t, -0.284496736), t, 0.254829592) * t;
  return series * exponential(-x * x);
}

fn gelu(x: f32) -> f32 {
  let tail = 0.5 * abs(x) * erfc(abs(x) * 0.70710678);
  return select(-tail, x - tail, x >= 0.0);
}

fn applied(value: f32, index: u32) -> f32 {
  switch KIND {
    case 0u: { return value * sigmoid(value); }
    case 1u: { return gelu(value); }
    case 2u: { return value * sigmoid(1.702 * value); }
    default: { return value * sigmoid(value) * y[index]; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  if (index < p.count) { out[index] = applied(x[index], index); }
}

@compute @workgroup_size(64)
fn inPlace(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let index = indexOf(id, count) * 64u + t;
  if (index < p.count) { out[index] = applied(out[index], index); }
}
