// Products of many tokens over int8 codes: as tiles.wgsl, 4 LINES columns at a time that share their scales on both sides.

/// [word][row] codes, four a word; scale and offset of each row, scale of each token.
var<workgroup> w: array<u32, LINES * 33u>;
var<workgroup> v: array<u32, LINES * 33u>;
var<workgroup> rowScales: array<vec2<f32>, 32>;
var<workgroup> tokenScales: array<f32, 32>;

fn fill(t: u32, row: u32, token: u32, step: u32) {
  for (var i = t; i < 16u * LINES; i += 64u) {
    let line = i / 32u;
    let own = i % 32u;
    let isInside = 8u * (step + line) < p.cols;
    var codes = vec2(0u);
    if (row + own < p.rows && isInside) { codes = codes8(row + own, step + line); }
    w[2u * line * 33u + own] = codes.x;
    w[(2u * line + 1u) * 33u + own] = codes.y;
    codes = vec2(0u);
    if (token + own < p.tokens && isInside) { codes = codesOf(token + own, step + line); }
    v[2u * line * 33u + own] = codes.x;
    v[(2u * line + 1u) * 33u + own] = codes.y;
  }
  if (t < 32u) {
    rowScales[t] = vec2(0.0);
    if (row + t < p.rows) { rowScales[t] = scaleOf(row + t, step); }
  } else {
    tokenScales[t - 32u] = 0.0;
    if (token + t - 32u < p.tokens) { tokenScales[t - 32u] = scaleOfInput(token + t - 32u, step); }
  }
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
  for (var step = 0u; 8u * step < p.cols; step += LINES / 2u) {
    fill(t, row, token, step);
    workgroupBarrier();
    for (var j = 0u; j < 4u; j++) {
      var whole = vec4(0);
      var plain = 0;
      for (var k = 0u; k < LINES; k++) {
        let at = 33u * k;
        let codes = v[at + ty + j];
        whole += vec4(
          dot4(w[at + tx], codes),
          dot4(w[at + tx + 1u], codes),
          dot4(w[at + tx + 2u], codes),
          dot4(w[at + tx + 3u], codes),
        );
        if (OFFSET == 2u) { plain += dot4(codes, 0x01010101u); }
      }
      for (var i = 0u; i < 4u; i++) {
        let scales = rowScales[tx + i];
        sums[j][i] += tokenScales[ty + j] * (scales.x * f32(whole[i]) + scales.y * f32(plain));
      }
    }
    workgroupBarrier();
  }
  for (var j = 0u; j < 4u; j++) {
    for (var i = 0u; i < 4u; i++) { give(token + ty + j, row + tx + i, sums[j][i]); }
  }
}
