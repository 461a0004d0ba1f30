// Products of many tokens: a workgroup of 8 x 8 makes a tile of 32 weight rows by 32 tokens, 32 columns at a time through
// shared memory; an invocation has 4 x 4 sums, in f32.

/// [column][row], a number of room at each end of a line.
var<workgroup> w: array<Tile, 1056>;
var<workgroup> v: array<Tile, 1056>;

fn keep(at: u32, eight: Eight, isInput: bool) {
  for (var i = 0u; i < 4u; i++) {
    if (isInput) {
      v[at + 33u * i] = Tile(eight.low[i]);
      v[at + 33u * (i + 4u)] = Tile(eight.high[i]);
    } else {
      w[at + 33u * i] = Tile(eight.low[i]);
      w[at + 33u * (i + 4u)] = Tile(eight.high[i]);
    }
  }
}

fn input8Or0(token: u32, step: u32) -> Eight {
  if (token >= p.tokens || 8u * step >= p.cols) { return Eight(vec4(0.0), vec4(0.0)); }
  return input8(token, step);
}

fn weights8Or0(row: u32, step: u32) -> Eight {
  if (row >= p.rows || 8u * step >= p.cols) { return Eight(vec4(0.0), vec4(0.0)); }
  return weights8(row, step);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) count: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let across = (p.rows + 31u) / 32u;
  let row = indexOf(id, count) % across * 32u;
  let token = indexOf(id, count) / across * 32u;
  if (token >= p.tokens) { return; }
  let tx = t % 8u * 4u;
  let ty = t / 8u * 4u;
  var sums = array<vec4<f32>, 4>();
  for (var step = 0u; 8u * step < p.cols; step += 4u) {
    for (var i = t; i < 128u; i += 64u) {
      keep(i / 32u * 264u + i % 32u, weights8Or0(row + i % 32u, step + i / 32u), false);
      keep(i / 32u * 264u + i % 32u, input8Or0(token + i % 32u, step + i / 32u), true);
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let at = 33u * k;
      let four = vec4(w[at + tx], w[at + tx + 1u], w[at + tx + 2u], w[at + tx + 3u]);
      for (var j = 0u; j < 4u; j++) { sums[j] += vec4<f32>(v[at + ty + j] * four); }
    }
    workgroupBarrier();
  }
  for (var j = 0u; j < 4u; j++) {
    for (var i = 0u; i < 4u; i++) { give(token + ty + j, row + tx + i, sums[j][i]); }
  }
}
