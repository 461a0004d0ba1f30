// Image patches as rows of a matrix, for the patch embedding as a matrix product (Dosovitskiy et al. 2021).

/** image: f32 planes [3, size, size]; out: f32 [patches, 3 * patch * patch], patches in row order, each [3][patch][patch]. */
export function patchRows(image: usize, size: i32, patch: i32, out: usize): void {
  const across = size / patch;
  const line = <usize>patch << 2;
  for (let py = 0; py < across; py++) {
    for (let px = 0; px < across; px++) {
      for (let channel = 0; channel < 3; channel++) {
        for (let y = 0; y < patch; y++) {
          const row = channel * size + py * patch + y;
          memory.copy(out, image + (<usize>(row * size + px * patch) << 2), line);
          out += line;
        }
      }
    }
  }
}
