// PNG and JPEG decode to RGB; broken, foreign and oversized pictures are refused before they are decoded.

import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage } from "../../src/platform/images.js";
import { refuses } from "../support/refuses.js";

function png(width: number, height: number, rgba: readonly number[]): Uint8Array {
  const picture = new PNG({ width, height });
  picture.data = Buffer.from(Array.from({ length: width * height }, () => rgba).flat());
  return new Uint8Array(PNG.sync.write(picture));
}

test("a PNG keeps its colours and loses its transparency", () => {
  const { width, height, rgb } = decodeImage("a.png", png(2, 1, [10, 20, 30, 0]));
  assert.equal([width, height, [...rgb]], [2, 1, [10, 20, 30, 10, 20, 30]]);
});

test("a JPEG of one colour is nearly that colour", () => {
  const data = Buffer.from(Array.from({ length: 64 }, () => [200, 100, 50, 255]).flat());
  const { width, height, rgb } = decodeImage("a.jpg", jpeg.encode({ width: 8, height: 8, data }, 95).data);
  assert.equal([width, height, rgb.length], [8, 8, 192]);
  [200, 100, 50].forEach((value, c) => {
    assert.ok(Math.abs(rgb[c] - value) < 6, `${rgb[c]} is not near ${value}`);
  });
});

test("what is no picture is refused", async () => {
  await refuses(() => decodeImage("x.gif", new TextEncoder().encode("GIF89a")), /x\.gif: is neither PNG nor JPEG/);
  await refuses(() => decodeImage("x", new Uint8Array(0)), /neither/);
});

test("every truncation is refused", async () => {
  const whole = png(9, 7, [1, 2, 3, 255]);
  for (let size = 8; size < whole.length - 12; size++) {
    await refuses(() => decodeImage("cut.png", whole.slice(0, size)), /cut\.png/);
  }
  const data = Buffer.alloc(16 * 16 * 4, 128);
  const photo = new Uint8Array(jpeg.encode({ width: 16, height: 16, data }, 50).data);
  for (const size of [2, 10, 100, 300]) await refuses(() => decodeImage("cut.jpg", photo.slice(0, size)), /cut\.jpg/);
});

test("claims of gigabytes, of nothing and of endless strips are refused", async () => {
  for (const [width, height] of [
    [100_000, 100_000],
    [0, 5],
    [5000, 1],
  ]) {
    const bytes = png(1, 1, [0, 0, 0, 255]);
    const view = new DataView(bytes.buffer);
    view.setUint32(16, width);
    view.setUint32(20, height);
    await refuses(() => decodeImage("big.png", bytes), /big\.png/, new RegExp(`${width}`));
  }
});

test.run();
