// Token embedding with image features in place of the <image> tokens (LLaVA), forward and backward.

/** rows[i] = next feature row of the picture for each <image> token, else -1. All arrays i32 [length]. */
export function imageRows(tokens: usize, rows: usize, length: i32, imageToken: i32, firstRow: i32): void {
  let next = firstRow;
  for (let i = 0; i < length; i++) {
    store<i32>(rows + (i << 2), load<i32>(tokens + (i << 2)) == imageToken && firstRow >= 0 ? next++ : -1);
  }
}

/** x [length, columns] = features[rows[i]] where rows[i] >= 0, else table[tokens[i]]. */
export function embed(
  tokens: usize, rows: usize, table: usize, features: usize, x: usize, length: i32, columns: i32,
): void {
  const bytes = columns << 2;
  for (let i = 0; i < length; i++) {
    const row = load<i32>(rows + (i << 2));
    const source = row >= 0 ? features + row * bytes : table + load<i32>(tokens + (i << 2)) * bytes;
    memory.copy(x + i * bytes, source, bytes);
  }
}

/** Adds dx rows to the gradient of the table or of the features. */
export function embedBackward(
  dx: usize, tokens: usize, rows: usize, dtable: usize, dfeatures: usize, length: i32, columns: i32,
): void {
  const bytes = columns << 2;
  for (let i = 0; i < length; i++) {
    const row = load<i32>(rows + (i << 2));
    const target = row >= 0 ? dfeatures + row * bytes : dtable + load<i32>(tokens + (i << 2)) * bytes;
    const source = dx + i * bytes;
    for (let j = 0; j < bytes; j += 16) {
      v128.store(target + j, f32x4.add(v128.load(target + j), v128.load(source + j)));
    }
  }
}
