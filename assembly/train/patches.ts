// Pictures to patch rows, the class token with position embeddings, and averages over cells of patches.

/**
 * pixels u8 [images, size, size, 3] to out [images * side^2, 3 * patch^2] in the order of a convolution's weight,
 * normalised to (x/255 - 0.5)/0.5.
 */
export function patchify(pixels: usize, out: usize, images: i32, size: i32, patch: i32): void {
  const side = size / patch;
  let at = out;
  for (let i = 0; i < images; i++) {
    for (let p = 0; p < side * side; p++) {
      const origin = pixels + ((i * size + (p / side) * patch) * size + (p % side) * patch) * 3;
      for (let c = 0; c < 3; c++) {
        for (let y = 0; y < patch; y++) {
          for (let x = 0; x < patch; x++) {
            const value = <f32>load<u8>(origin + (y * size + x) * 3 + c);
            store<f32>(at, (value / 255.0 - 0.5) / 0.5);
            at += 4;
          }
        }
      }
    }
  }
}

/** x [images, patches + 1, columns] = class token or patch row, plus position. */
export function assemble(
  rows: usize, classToken: usize, positions: usize, x: usize, images: i32, patches: i32, columns: i32,
): void {
  const bytes = columns << 2;
  for (let i = 0; i < images; i++) {
    for (let p = 0; p <= patches; p++) {
      const source = p == 0 ? classToken : rows + (i * patches + p - 1) * bytes;
      const target = x + (i * (patches + 1) + p) * bytes;
      for (let j = 0; j < bytes; j += 16) {
        v128.store(target + j, f32x4.add(v128.load(source + j), v128.load(positions + p * bytes + j)));
      }
    }
  }
}

/** Gradients: drows is written, dclass and dpositions are added to. */
export function assembleBackward(
  dx: usize, drows: usize, dclass: usize, dpositions: usize, images: i32, patches: i32, columns: i32,
): void {
  const bytes = columns << 2;
  for (let i = 0; i < images; i++) {
    for (let p = 0; p <= patches; p++) {
      const source = dx + (i * (patches + 1) + p) * bytes;
      for (let j = 0; j < bytes; j += 16) {
        const g = v128.load(source + j);
        v128.store(dpositions + p * bytes + j, f32x4.add(v128.load(dpositions + p * bytes + j), g));
        if (p == 0) v128.store(dclass + j, f32x4.add(v128.load(dclass + j), g));
        else v128.store(drows + (i * patches + p - 1) * bytes + j, g);
      }
    }
  }
}

/** out [images, patches, columns] = x [images, patches + 1, columns] without the class row. */
export function dropClass(x: usize, out: usize, images: i32, patches: i32, columns: i32): void {
  const bytes = columns << 2;
  for (let i = 0; i < images; i++) {
    memory.copy(out + i * patches * bytes, x + (i * (patches + 1) + 1) * bytes, patches * bytes);
  }
}

/** Gradient of dropClass: dx with a zero class row. */
export function dropClassBackward(dout: usize, dx: usize, images: i32, patches: i32, columns: i32): void {
  const bytes = columns << 2;
  for (let i = 0; i < images; i++) {
    const row = dx + i * (patches + 1) * bytes;
    memory.fill(row, 0, bytes);
    memory.copy(row + bytes, dout + i * patches * bytes, patches * bytes);
  }
}

/** out [images, cells^2, columns] = mean over each cell; x [images, side^2, columns]; cells divides side. */
export function cellMean(x: usize, out: usize, images: i32, side: i32, cells: i32, columns: i32): void {
  const bytes = columns << 2;
  const width = side / cells;
  const share = f32x4.splat(<f32>1.0 / <f32>(width * width));
  memory.fill(out, 0, images * cells * cells * bytes);
  for (let p = 0; p < images * side * side; p++) {
    const target = out + cellOf(p, side, cells, width) * bytes;
    for (let j = 0; j < bytes; j += 16) {
      const value = f32x4.mul(v128.load(x + p * bytes + j), share);
      v128.store(target + j, f32x4.add(v128.load(target + j), value));
    }
  }
}

/** dx += gradient of cellMean. */
export function cellMeanBackward(dout: usize, dx: usize, images: i32, side: i32, cells: i32, columns: i32): void {
  const bytes = columns << 2;
  const width = side / cells;
  const share = f32x4.splat(<f32>1.0 / <f32>(width * width));
  for (let p = 0; p < images * side * side; p++) {
    const source = dout + cellOf(p, side, cells, width) * bytes;
    for (let j = 0; j < bytes; j += 16) {
      const value = f32x4.mul(v128.load(source + j), share);
      v128.store(dx + p * bytes + j, f32x4.add(v128.load(dx + p * bytes + j), value));
    }
  }
}

/** Row of the cell that patch p (counted over all pictures) belongs to. */
function cellOf(p: i32, side: i32, cells: i32, width: i32): i32 {
  const image = p / (side * side);
  const inside = p % (side * side);
  return image * cells * cells + (inside / side / width) * cells + (inside % side) / width;
}
