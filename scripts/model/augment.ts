// Draws one 28x28 digit into a 32x32 cell of a picture, warped by a small random affine map and a
// smooth elastic field (Simard et al. 2003), sampled bilinearly. Evaluation uses shifts only.

import type { Random } from "./random.js";

export const digitSize = 28;
export const cellSize = 32;

export interface Warp {
  /** [4] inverse linear map from cell offsets to digit offsets, row-major (x from x, x from y, y from x, y from y). */
  readonly linear: readonly [number, number, number, number];
  readonly shiftX: number;
  readonly shiftY: number;
  /** [2, 4, 4] control points of the displacement in pixels (x plane, then y plane), or none. */
  readonly elastic: Float64Array | undefined;
  /** Factor on the grey value. */
  readonly gain: number;
}

/** Whole-pixel jitter of up to 2 pixels: the only variation that evaluation pictures have. */
export function jitter(random: Random): Warp {
  return { linear: [1, 0, 0, 1], shiftX: random.int(5) - 2, shiftY: random.int(5) - 2, elastic: undefined, gain: 1 };
}

/** Jitter plus rotation up to 12 degrees, scale up to 12 %, shear, elastic field and brightness, for training. */
export function strongWarp(random: Random): Warp {
  const signed = (most: number): number => (2 * random.next() - 1) * most;
  const angle = signed((12 * Math.PI) / 180);
  const scaleX = 1 / (1 + signed(0.12));
  const scaleY = 1 / (1 + signed(0.12));
  const shear = signed(0.15);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const elastic = Float64Array.from({ length: 32 }, () => signed(1.6));
  return {
    linear: [cos * scaleX, (sin + shear) * scaleX, -sin * scaleY, cos * scaleY],
    shiftX: signed(2.5),
    shiftY: signed(2.5),
    elastic,
    gain: 0.75 + 0.25 * random.next(),
  };
}

function displacement(field: Float64Array, plane: number, x: number, y: number): number {
  const scale = 3 / (cellSize - 1);
  const column = Math.min(2, Math.floor(x * scale));
  const row = Math.min(2, Math.floor(y * scale));
  const [u, v] = [x * scale - column, y * scale - row];
  const at = plane * 16 + row * 4 + column;
  const top = field[at] + u * (field[at + 1] - field[at]);
  const bottom = field[at + 4] + u * (field[at + 5] - field[at + 4]);
  return top + v * (bottom - top);
}

function grey(digits: Uint8Array, start: number, x: number, y: number): number {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (column < -1 || row < -1 || column >= digitSize || row >= digitSize) return 0;
  const [u, v] = [x - column, y - row];
  const left = column >= 0;
  const right = column + 1 < digitSize;
  const at = start + row * digitSize + column;
  let sum = 0;
  if (row >= 0) sum += (1 - v) * ((left ? (1 - u) * digits[at] : 0) + (right ? u * digits[at + 1] : 0));
  if (row + 1 < digitSize) {
    const below = at + digitSize;
    sum += v * ((left ? (1 - u) * digits[below] : 0) + (right ? u * digits[below + 1] : 0));
  }
  return sum;
}

/**
 * Draws a digit into a picture.
 * @param digits bytes of many digits, [n, 28, 28]
 * @param start offset of the digit in `digits`
 * @param pixels [pictures, 64, 64, 3] bytes to draw into, black before
 * @param corner byte offset of the cell's top left pixel
 * @param rowBytes bytes from one row of the picture to the next
 */
export function drawDigit(
  digits: Uint8Array,
  start: number,
  warp: Warp,
  pixels: Uint8Array,
  corner: number,
  rowBytes: number,
): void {
  const half = (cellSize - 1) / 2;
  const centre = (digitSize - 1) / 2;
  const [xx, xy, yx, yy] = warp.linear;
  for (let y = 0; y < cellSize; y++) {
    for (let x = 0; x < cellSize; x++) {
      const dx = x - half - warp.shiftX + (warp.elastic ? displacement(warp.elastic, 0, x, y) : 0);
      const dy = y - half - warp.shiftY + (warp.elastic ? displacement(warp.elastic, 1, x, y) : 0);
      const value = warp.gain * grey(digits, start, centre + xx * dx + xy * dy, centre + yx * dx + yy * dy);
      const at = corner + y * rowBytes + 3 * x;
      pixels[at] = pixels[at + 1] = pixels[at + 2] = Math.round(value);
    }
  }
}
