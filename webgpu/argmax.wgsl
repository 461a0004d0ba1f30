// The first index of the largest value of each row: a workgroup a row.

struct Params {
  cols: u32,
  rows: u32,
  xFirst: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(1) @binding(0) var<storage, read> x: array<f32>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;

var<workgroup> tops: array<f32, 64>;
var<workgroup> places: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let row = indexOf(id, count);
  if (row >= p.rows) { return; }
  let at = (p.xFirst + row) * p.cols;
  var top = -3.4e38;
  var place = 0xffffffffu;
  for (var i = t; i < p.cols; i += 64u) {
    if (place == 0xffffffffu || x[at + i] > top) {
      top = x[at + i];
      place = i;
    }
  }
  tops[t] = top;
  places[t] = place;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (t < half) {
      let other = places[t + half];
      let wins = tops[t + half] > tops[t] || (tops[t + half] == tops[t] && other < places[t]);
      if (other != 0xffffffffu && (wins || places[t] == 0xffffffffu)) {
        tops[t] = tops[t + half];
        places[t] = other;
      }
    }
    workgroupBarrier();
  }
  if (t == 0u) { out[row] = places[0]; }
}
