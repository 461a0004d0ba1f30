// Products of one token or a few: a workgroup a block of 8 weight rows and token, its invocations along the columns.

@compute @workgroup_size(SIZE)
fn main(
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) count: vec3<u32>,
  own: Lane,
) {
  let blocks = (p.rows + 7u) / 8u;
  let block = indexOf(id, count) % blocks;
  let token = indexOf(id, count) / blocks;
  if (token >= p.tokens) { return; }
  var sums = Eight(vec4(0.0), vec4(0.0));
  for (var step = own.t; step < (p.cols + 7u) / 8u; step += SIZE) {
    let product = productOf(block, token, step);
    sums = Eight(sums.low + product.low, sums.high + product.high);
  }
  let total = reduce(own, sums);
  if (own.t < 8u) { give(token, 8u * block + own.t, select(total.low, total.high, own.t >= 4u)[own.t % 4u]); }
}
