// Sum over a workgroup of SIZE invocations: within subgroups by the device's own instruction, then over subgroups.

var<workgroup> lows: array<vec4<f32>, SIZE>;
var<workgroup> highs: array<vec4<f32>, SIZE>;

struct Lane {
  @builtin(local_invocation_index) t: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) width: u32,
}

fn reduce(own: Lane, sums: Eight) -> Eight {
  let low = subgroupAdd(sums.low);
  let high = subgroupAdd(sums.high);
  if (own.lane == 0u) {
    lows[own.t / own.width] = low;
    highs[own.t / own.width] = high;
  }
  workgroupBarrier();
  var total = Eight(lows[0], highs[0]);
  for (var i = 1u; i < SIZE / own.width; i++) {
    total.low += lows[i];
    total.high += highs[i];
  }
  return total;
}
