// PNG and JPEG bytes to RGB, by pure JavaScript libraries. Sizes are read from the headers and limited before anything is
// decoded, since a few bytes can claim a picture of gigabytes.

import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import { InputError } from "../core/errors.js";

/** [height, width, 3] bytes. */
export interface RgbPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

const MAX_PIXELS = 50_000_000;
const PNG_MARK = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Decodes a picture known by its first bytes. Throws InputError when it is neither, broken or too large. */
export function decodeImage(name: string, bytes: Uint8Array): RgbPicture {
  const fail = (problem: string) => new InputError(name, "", problem, "Give a PNG or JPEG picture of moderate size");
  if (PNG_MARK.every((byte, i) => bytes[i] === byte)) return decodePng(bytes, fail);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return decodeJpeg(bytes, fail);
  throw fail("is neither PNG nor JPEG");
}

type Fail = (problem: string) => InputError;

function decodePng(bytes: Uint8Array, fail: Fail): RgbPicture {
  if (bytes.length < 33) throw fail("ends inside its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  checkSize(view.getUint32(16), view.getUint32(20), fail);
  try {
    const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
    return { width, height, rgb: withoutAlpha(data, width * height) };
  } catch (error) {
    throw fail(`cannot be read as PNG: ${(error as Error).message}`);
  }
}

function decodeJpeg(bytes: Uint8Array, fail: Fail): RgbPicture {
  try {
    const options = { useTArray: true, formatAsRGBA: false, tolerantDecoding: false } as const;
    const limits = { maxResolutionInMP: MAX_PIXELS / 1e6, maxMemoryUsageInMB: 1024 };
    const { width, height, data } = jpeg.decode(bytes, { ...options, ...limits });
    checkSize(width, height, fail);
    return { width, height, rgb: data };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw fail(`cannot be read as JPEG: ${(error as Error).message}`);
  }
}

function checkSize(width: number, height: number, fail: Fail): void {
  if (width < 1 || height < 1) throw fail(`has the size ${width} x ${height}`);
  if (width * height > MAX_PIXELS) throw fail(`has ${width} x ${height} pixels, the limit is ${MAX_PIXELS}`);
  if (Math.max(width, height) > 200 * Math.min(width, height)) throw fail(`is a strip of ${width} x ${height}`);
}

/** Transparent parts keep their colour, as when Pillow converts RGBA to RGB. */
function withoutAlpha(rgba: Uint8Array, pixels: number): Uint8Array {
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    rgb[i * 3] = rgba[i * 4];
    rgb[i * 3 + 1] = rgba[i * 4 + 1];
    rgb[i * 3 + 2] = rgba[i * 4 + 2];
  }
  return rgb;
}
