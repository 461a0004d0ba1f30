// What all products share: sizes, and sums over a block of 8 weight rows.

struct Params {
  rows: u32,        // of the weights in this binding
  cols: u32,
  tokens: u32,
  firstRow: u32,    // of this binding in the whole matrix: the column of out where its results begin
  outStride: u32,   // columns of out
  xFirst: u32,      // first row of x
  outFirst: u32,    // first row of out
  biasAt: u32,      // 1: there is a bias
  scalesAt: u32,    // int8 activations: word where their scales begin
}

@group(0) @binding(0) var<uniform> p: Params;

/// One number for each of the 8 rows of a block.
struct Eight {
  low: vec4<f32>,
  high: vec4<f32>,
}
