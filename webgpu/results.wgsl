// Where results of products go: out[outFirst + token][firstRow + row] = value (+ bias).

@group(1) @binding(2) var<storage, read> bias: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

fn give(token: u32, row: u32, value: f32) {
  if (token >= p.tokens || row >= p.rows) { return; }
  let column = p.firstRow + row;
  let added = select(0.0, bias[column * p.biasAt], p.biasAt == 1u);
  out[(p.outFirst + token) * p.outStride + column] = value + added;
}
