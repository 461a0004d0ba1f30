// Pictures to what a CLIP tower eats, as Hugging Face's CLIPImageProcessor does it: the shorter edge resized (bicubic with
// antialiasing, as Pillow), centre crop, (x / 255 - mean) / std, planes.

import type { VisionConfig } from "../core/config.js";

/** A decoded picture. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] bytes, RGB. */
  readonly rgb: Uint8Array;
}

/** Normalised planes [3 * imageSize, imageSize] of a picture. */
export function preprocess(picture: Picture, config: VisionConfig): Float32Array {
  const { imageSize: size, mean, std } = config;
  const scaled = resizeShorterEdge(picture, size);
  const left = Math.floor((scaled.width - size) / 2);
  const top = Math.floor((scaled.height - size) / 2);
  const planes = new Float32Array(3 * size * size);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const byte = scaled.rgb[((top + y) * scaled.width + left + x) * 3 + c];
        planes[(c * size + y) * size + x] = (byte / 255 - mean[c]) / std[c];
      }
    }
  }
  return planes;
}

/** Shorter edge to `size`, the longer one in proportion (rounded down, as Hugging Face). */
export function resizeShorterEdge(picture: Picture, size: number): Picture {
  const { width, height } = picture;
  const shorter = Math.min(width, height);
  if (shorter === size) return picture;
  return resize(picture, Math.floor((width * size) / shorter), Math.floor((height * size) / shorter));
}

/** Separable bicubic resize: across first, then down, rounding to bytes between, as Pillow does. */
export function resize(picture: Picture, width: number, height: number): Picture {
  const across = taps(picture.width, width);
  const wide = new Uint8Array(picture.height * width * 3);
  for (let y = 0; y < picture.height; y++) {
    const line = picture.rgb.subarray(y * picture.width * 3, (y + 1) * picture.width * 3);
    across.forEach((tap, x) => {
      for (let c = 0; c < 3; c++) wide[(y * width + x) * 3 + c] = weigh(line, tap, 3, c);
    });
  }
  const rgb = new Uint8Array(height * width * 3);
  taps(picture.height, height).forEach((tap, y) => {
    for (let i = 0; i < width * 3; i++) rgb[y * width * 3 + i] = weigh(wide, tap, width * 3, i);
  });
  return { width, height, rgb };
}

interface Tap {
  readonly first: number;
  /** Weights of the source samples from `first` on; they sum to 1. */
  readonly weights: readonly number[];
}

function weigh(samples: Uint8Array, { first, weights }: Tap, stride: number, offset: number): number {
  const sum = weights.reduce((total, weight, i) => total + weight * samples[(first + i) * stride + offset], 0);
  return Math.min(255, Math.max(0, Math.round(sum)));
}

/** Keys' cubic kernel with a = -0.5 (Keys 1981), widened by the scale when shrinking. */
function taps(from: number, to: number): Tap[] {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - 2 * stretch + 0.5));
    const end = Math.min(from, Math.floor(centre + 2 * stretch + 0.5));
    const raw = Array.from({ length: end - first }, (_, n) => cubic((first + n + 0.5 - centre) / stretch));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: raw.map((weight) => weight / sum) };
  });
}

function cubic(x: number): number {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2;
  return 0;
}

/** Bytes [size, size, 3] of a picture's centre after the shorter edge was brought to `size`: what `preprocess` normalises. */
export function croppedBytes(picture: Picture, size: number): Uint8Array {
  const scaled = resizeShorterEdge(picture, size);
  const left = Math.floor((scaled.width - size) / 2);
  const top = Math.floor((scaled.height - size) / 2);
  const bytes = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const from = ((top + y) * scaled.width + left) * 3;
    bytes.set(scaled.rgb.subarray(from, from + size * 3), y * size * 3);
  }
  return bytes;
}
