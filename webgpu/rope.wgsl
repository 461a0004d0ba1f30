// Rotary embedding in place (Su et al. 2021). A pair's frequency comes in turns a position, as a 48-bit fraction: whole
// turns fall away in integer arithmetic, so that position 100,000 is as exact as position 1.

struct Params {
  rows: u32,
  start: u32,
  heads: u32,
  headDim: u32,
  isHalf: u32,      // 1: pairs are (j, j + headDim / 2), 0: (2 j, 2 j + 1)
  turnsAt: u32,     // where the pairs' frequencies begin: [headDim / 2] of (upper 32 bits, next 16 bits)
  gain: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read_write> x: array<f32>;
@group(1) @binding(1) var<storage, read> turns: array<u32>;

/// Cosine and sine of a fraction of a turn, in units of 2^-32 turns.
fn cosSin(turn: u32) -> vec2<f32> {
  let quarter = (turn + 0x20000000u) >> 30u;
  let r = f32(bitcast<i32>(turn - (quarter << 30u))) * 1.46291807926715968e-9;
  let s = r * r;
  let sine = fma(r * s, fma(s, fma(s, fma(s, 2.7557319e-6, -1.98412698e-4), 8.3333333e-3), -0.16666667), r);
  let cosine = fma(s, fma(s, fma(s, fma(s, 2.4801587e-5, -1.38888889e-3), 4.16666667e-2), -0.5), 1.0);
  let turned = select(vec2(cosine, sine), vec2(-sine, cosine), (quarter & 1u) == 1u);
  return select(turned, -turned, (quarter & 2u) == 2u);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let pairs = p.headDim / 2u;
  let index = indexOf(id, count) * 64u + t;
  let row = index / (p.heads * pairs);
  if (row >= p.rows) { return; }
  let head = index / pairs % p.heads;
  let j = index % pairs;
  let position = p.start + row;
  let low = turns[p.turnsAt + 2u * j + 1u];
  // position * low in 48 bits: its upper half carries.
  let carry = ((position >> 16u) * low) + (((position & 0xffffu) * low) >> 16u);
  let turned = p.gain * cosSin(position * turns[p.turnsAt + 2u * j] + carry);
  let first = (row * p.heads + head) * p.headDim + select(2u * j, j, p.isHalf == 1u);
  let second = first + select(1u, pairs, p.isHalf == 1u);
  let a = x[first];
  let b = x[second];
  x[first] = a * turned.x - b * turned.y;
  x[second] = a * turned.y + b * turned.x;
}
