// Pictures to bytes: the browser decodes them. Limits stand before it does where the header tells the size, and in any case
// before anything is copied.

import { InputError, type Picture } from "../../../src/browser.js";
import type { Pixels } from "../protocol.js";
import { type PictureSize, pictureSize } from "./picture-size.js";

const MOST_BYTES = 64 * 1024 * 1024;
const MOST_PIXELS = 50_000_000;
const LONGEST_STRIP = 200;
const REMEDY = "Give a PNG, JPEG or WebP picture of moderate size";

/** Side of the preview. */
const PREVIEW = 256;

export interface Decoded {
  readonly whole: Pixels;
  /** The middle square, which the model sees. */
  readonly preview: Pixels;
}

function pixelsOf(name: string, width: number, height: number, draw: (on: OffscreenCanvasRenderingContext2D) => void) {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new InputError(name, "", "this browser gives no canvas to read it with", "Use a newer browser");
  draw(context);
  return { width, height, rgba: context.getImageData(0, 0, width, height).data };
}

function refuseHuge(name: string, { width, height }: PictureSize): void {
  if (width * height > MOST_PIXELS) {
    throw new InputError(name, "", `has ${width} x ${height} pixels, the limit is ${MOST_PIXELS}`, REMEDY);
  }
  if (Math.max(width, height) > LONGEST_STRIP * Math.min(width, height)) {
    throw new InputError(name, "", `is a strip of ${width} x ${height}`, REMEDY);
  }
}

/** Decodes a picture of any format that the browser knows. Throws InputError for huge and broken ones. */
export async function decodePicture(file: Blob, name: string): Promise<Decoded> {
  if (file.size > MOST_BYTES)
    throw new InputError(name, "", `has ${file.size} bytes, the limit is ${MOST_BYTES}`, REMEDY);
  const told = await pictureSize(file);
  if (told) refuseHuge(name, told);
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch((error: unknown) => {
    throw new InputError(name, "", `cannot be read as a picture (${(error as Error).message})`, REMEDY);
  });
  try {
    const { width, height } = bitmap;
    refuseHuge(name, bitmap);
    const side = Math.min(width, height);
    const [left, top] = [(width - side) / 2, (height - side) / 2];
    return {
      whole: pixelsOf(name, width, height, (on) => on.drawImage(bitmap, 0, 0)),
      preview: pixelsOf(name, PREVIEW, PREVIEW, (on) =>
        on.drawImage(bitmap, left, top, side, side, 0, 0, PREVIEW, PREVIEW),
      ),
    };
  } finally {
    bitmap.close();
  }
}

/** Without alpha, as the model's preprocessing wants it. */
export function rgbOf({ width, height, rgba }: Pixels): Picture {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    rgb[i * 3] = rgba[i * 4];
    rgb[i * 3 + 1] = rgba[i * 4 + 1];
    rgb[i * 3 + 2] = rgba[i * 4 + 2];
  }
  return { width, height, rgb };
}
