// The same over int8 codes: whole numbers within a step, scales of weights and activations after it.

@group(1) @binding(2) var<storage, read> bias: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(SIZE)
fn main(
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) count: vec3<u32>,
  own: Lane,
) {
  let t = own.t;
  let blocks = (p.rows + 7u) / 8u;
  let block = indexOf(id, count) % blocks;
  let token = indexOf(id, count) / blocks;
  if (token >= p.tokens) { return; }
  var sums = Eight(vec4(0.0), vec4(0.0));
  for (var step = t; step < (p.cols + 7u) / 8u; step += SIZE) {
    let codes = codesOf(token, step);
    let scale = scaleOfInput(token, step);
    let product = dotStepI8(block, step, codes.x, codes.y);
    sums = Eight(sums.low + scale * product.low, sums.high + scale * product.high);
  }
  let total = reduce(own, sums);
  let row = 8u * block + t;
  if (t < 8u && row < p.rows) {
    let value = select(total.low, total.high, t >= 4u)[t % 4u];
    let added = select(0.0, bias[(p.firstRow + row) * p.biasAt], p.biasAt == 1u);
    out[(p.outFirst + token) * p.outStride + p.firstRow + row] = value + added;
  }
}
