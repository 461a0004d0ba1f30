// A safetensors file is read back as it was written, in every type of weight, without reading data before it is asked for.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFloat32, toFloat32 } from "../../src/formats/convert.js";
import { readSafetensorsHeader } from "../../src/formats/safetensors.js";
import { memorySource, safetensorsBytes } from "./memory-source.js";

test("types, shapes and offsets of a header", async () => {
  const data = Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192, 0, 60, 0, 0xc0);
  const header = {
    __metadata__: { format: "pt" },
    a: { dtype: "F32", shape: [1, 2], data_offsets: [0, 8] },
    b: { dtype: "F16", shape: [2], data_offsets: [8, 12] },
  };
  const source = memorySource(safetensorsBytes(JSON.stringify(header), data));
  const [a, b] = await readSafetensorsHeader(source);
  assert.equal([a.name, a.dtype, a.shape, a.byteLength], ["a", "f32", [1, 2], 8]);
  assert.is(b.offset, a.offset + 8);
  assert.equal([...(await readFloat32(a))], [1, -2]);
  assert.equal([...(await readFloat32(b))], [1, -2]);
});

test("empty tensors and scalars take their place", async () => {
  const header = {
    none: { dtype: "F32", shape: [0, 5], data_offsets: [0, 0] },
    one: { dtype: "I64", shape: [], data_offsets: [0, 8] },
  };
  const source = memorySource(safetensorsBytes(JSON.stringify(header), new Uint8Array(8)));
  assert.equal(
    (await readSafetensorsHeader(source)).map(({ byteLength }) => byteLength),
    [0, 8],
  );
});

test("f16, bf16 and f64 convert exactly", () => {
  const words = (...bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);
  assert.equal(
    [...(toFloat32(words(0x3555, 0x0001, 0x8400, 0x7bff), "f16") ?? [])],
    [0.333251953125, 2 ** -24, -(2 ** -14), 65504],
  );
  assert.equal([...(toFloat32(words(0x3f80, 0xc040, 0x0001), "bf16") ?? [])], [1, -3, 2 ** -133]);
  assert.equal([...(toFloat32(new Uint8Array(Float64Array.of(0.5, -7).buffer), "f64") ?? [])], [0.5, -7]);
  assert.is(toFloat32(Uint8Array.of(1), "u8"), null);
});

test.run();
