// Activations of a product as f32, of a width that is a multiple of 8.

@group(1) @binding(1) var<storage, read> x: array<vec4<f32>>;

fn input8(token: u32, step: u32) -> Eight {
  let at = (p.xFirst + token) * (p.cols / 4u) + 2u * step;
  return Eight(x[at], x[at + 1u]);
}
