// Activations of a product as int8 codes (quantize.wgsl): SHARE columns have one scale.

@group(1) @binding(1) var<storage, read> x: array<u32>;

fn shares() -> u32 {
  return (p.cols + SHARE - 1u) / SHARE;
}

fn codesOf(token: u32, step: u32) -> vec2<u32> {
  let at = token * shares() * (SHARE / 4u) + 2u * step;
  return vec2(x[at], x[at + 1u]);
}

fn scaleOfInput(token: u32, step: u32) -> f32 {
  return bitcast<f32>(x[p.scalesAt + token * shares() + step / (SHARE / 8u)]);
}

fn signed4(word: u32) -> vec4<f32> {
  let w = bitcast<i32>(word);
  return vec4<f32>(vec4(extractBits(w, 0u, 8u), extractBits(w, 8u, 8u), extractBits(w, 16u, 8u), extractBits(w, 24u, 8u)));
}

fn input8(token: u32, step: u32) -> Eight {
  let codes = codesOf(token, step);
  let scale = scaleOfInput(token, step);
  return Eight(scale * signed4(codes.x), scale * signed4(codes.y));
}
