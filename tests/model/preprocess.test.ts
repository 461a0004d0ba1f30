// Pictures are resized as Pillow does it, cropped in the middle and normalised to planes.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { preprocess, resize, resizeShorterEdge } from "../../src/model/image.js";

const picture = (width: number, height: number) => {
  return {
    width,
    height,
    rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i * 7 + i * 37 + 11) % 256),
  };
};

test("bicubic shrinking and growing give Pillow 9.4's bytes", () => {
  // Image.frombytes("RGB", (w, h), bytes((i*i*7 + i*37 + 11) % 256 for i in range(w*h*3))).resize(size, BICUBIC)
  const small = [
    128, 128, 135, 127, 127, 122, 124, 131, 129, 135, 135, 125, 135, 129, 125, 129, 126, 134, 125, 126, 122, 123, 127,
    136,
  ];
  assert.equal([...resize(picture(31, 17), 4, 2).rgb], small);
  const large = [
    0, 52, 113, 32, 39, 112, 146, 11, 107, 218, 24, 142, 239, 80, 219, 222, 91, 253, 169, 62, 246, 145, 48, 244,
  ];
  assert.equal([...resize(picture(4, 3), 8, 6).rgb.subarray(0, 24)], large);
});

test("the shorter edge decides, the longer one is rounded down", () => {
  const { width, height } = resizeShorterEdge(picture(13, 9), 4);
  assert.equal([width, height], [5, 4]);
  const same = picture(9, 4);
  assert.is(resizeShorterEdge(same, 4), same);
});

test("the middle is cut out and normalised per channel, in planes", () => {
  // 4 x 2 pixels, red = column * 10, green = row * 100, blue = 255
  const rgb = Uint8Array.from([0, 1].flatMap((y) => [0, 1, 2, 3].flatMap((x) => [x * 10, y * 100, 255])));
  const options = { imageSize: 2, mean: [0, 0.5, 0.5], std: [1, 0.5, 0.25] } as const;
  const rest = {
    patch: 1,
    hidden: 1,
    layers: 1,
    heads: 1,
    ffn: 1,
    normEps: 0,
    activation: "gelu",
    featureLayer: -1,
  } as const;
  const planes = preprocess({ width: 4, height: 2, rgb }, { ...rest, ...options });
  const red = [10, 20, 10, 20].map((byte) => Math.fround(byte / 255));
  const green = [0, 0, 100, 100].map((byte) => Math.fround((byte / 255 - 0.5) / 0.5));
  assert.equal([...planes], [...red, ...green, 2, 2, 2, 2]);
});

test.run();
