// A picture to time with: any will do, but the same one everywhere.

import type { Picture } from "../../model/image.js";

/** A square gradient, [size, size, 3] bytes. */
export function testPicture(size: number): Picture {
  const rgb = Uint8Array.from({ length: size * size * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % size;
    const y = Math.floor(i / 3 / size);
    return [x, y, x ^ y][i % 3] ?? 0;
  });
  return { width: size, height: size, rgb };
}
