// Sum over a workgroup of SIZE invocations, through shared memory.

var<workgroup> lows: array<vec4<f32>, SIZE>;
var<workgroup> highs: array<vec4<f32>, SIZE>;

struct Lane {
  @builtin(local_invocation_index) t: u32,
}

fn reduce(own: Lane, sums: Eight) -> Eight {
  let t = own.t;
  lows[t] = sums.low;
  highs[t] = sums.high;
  workgroupBarrier();
  for (var half = SIZE / 2u; half > 0u; half /= 2u) {
    if (t < half) {
      lows[t] += lows[t + half];
      highs[t] += highs[t + half];
    }
    workgroupBarrier();
  }
  return Eight(lows[0], highs[0]);
}
