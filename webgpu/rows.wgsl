// Steps of 8 columns for formats that are read weight by weight (f32, blocks): see int4.wgsl for the same functions over records.

/// Columns 8 step .. 8 step + 7 of a row; 0 beyond the matrix.
fn weights8(row: u32, step: u32) -> Eight {
  var eight = Eight(vec4(0.0), vec4(0.0));
  if (row < p.rows) {
    let begin = 8u * step;
    let count = min(8u, max(p.cols, begin) - begin);
    for (var i = 0u; i < min(4u, count); i++) { eight.low[i] = weightAt(row, begin + i); }
    for (var i = 4u; i < count; i++) { eight.high[i - 4u] = weightAt(row, begin + i); }
  }
  return eight;
}

/// Products of 8 columns with each row of a block.
fn dotStep(block: u32, step: u32, a: vec4<f32>, b: vec4<f32>) -> Eight {
  var sums: Eight;
  for (var i = 0u; i < 4u; i++) {
    let w = weights8(8u * block + i, step);
    let v = weights8(8u * block + 4u + i, step);
    sums.low[i] = dot(w.low, a) + dot(w.high, b);
    sums.high[i] = dot(v.low, a) + dot(v.high, b);
  }
  return sums;
}

fn bytes4(word: u32) -> vec4<f32> {
  let w = bitcast<i32>(word);
  return vec4<f32>(vec4(extractBits(w, 0u, 8u), extractBits(w, 8u, 8u), extractBits(w, 16u, 8u), extractBits(w, 24u, 8u)));
}

/// The same with int8 codes of the columns, before their scale.
fn dotStepI8(block: u32, step: u32, a: u32, b: u32) -> Eight {
  return dotStep(block, step, bytes4(a), bytes4(b));
}
