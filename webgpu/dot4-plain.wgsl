// Dot product of four signed bytes each, for implementations without packed_4x8_integer_dot_product.

fn byteOf(word: u32, n: u32) -> i32 {
  return extractBits(bitcast<i32>(word), 8u * n, 8u);
}

fn dot4(a: u32, b: u32) -> i32 {
  var sum = 0;
  for (var n = 0u; n < 4u; n++) {
    sum += byteOf(a, n) * byteOf(b, n);
  }
  return sum;
}
