// Lying safetensors headers are refused with the tensor's name before anything is allocated for them.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { readSafetensorsHeader } from "../../src/formats/safetensors.js";
import { refuses } from "../support/refuses.js";
import { memorySource, safetensorsBytes } from "./memory-source.js";

const entry = (dtype: string, shape: unknown, range: unknown) => ({ dtype, shape, data_offsets: range });

/** Header (object or text), bytes of data, and what the message must say. */
const CASES: readonly (readonly [string, unknown, number, RegExp])[] = [
  ["no JSON", "{oops", 0, /header.*not JSON/],
  ["no object", "[1,2]", 0, /header.*no object/],
  ["a null entry", { w: null }, 0, /w: has the type/],
  ["an unknown type", { w: entry("Q4", [1], [0, 1]) }, 1, /w: has the type "Q4"/],
  ["a negative size", { w: entry("F32", [-1], [0, 4]) }, 4, /w: has the shape/],
  ["a broken size", { w: entry("F32", [1.5], [0, 6]) }, 6, /w: has the shape/],
  ["a shape that is no list", { w: entry("F32", 4, [0, 16]) }, 16, /w: has the shape/],
  ["sizes that overflow", { w: entry("F32", [2 ** 32, 2 ** 32, 2 ** 32], [0, 4]) }, 4, /w: F32 .* needs/],
  ["a shape larger than its range", { w: entry("F32", [3], [0, 8]) }, 8, /w: .* needs 12 bytes/],
  ["a range that runs backwards", { w: entry("F32", [1], [4, 0]) }, 4, /w: has the byte range/],
  ["a range past the end", { w: entry("F32", [100], [0, 400]) }, 4, /w: ends at byte/],
  ["three offsets", { w: entry("F32", [1], [0, 4, 8]) }, 4, /w: has the byte range/],
  ["an overlap", { a: entry("F32", [2], [0, 8]), b: entry("F32", [1], [4, 8]) }, 8, /b: .*inside another/],
  ["a gap", { a: entry("U8", [1], [0, 1]), b: entry("U8", [1], [3, 4]) }, 4, /b: .*gap of 2 bytes/],
  ["bytes of nobody", { a: entry("U8", [1], [0, 1]) }, 9, /data: 8 bytes at the end/],
  [
    "a name twice",
    '{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0077":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    1,
    /w: the name stands twice/,
  ],
];

for (const [name, header, dataBytes, message] of CASES) {
  test(`refuses ${name}`, async () => {
    const text = typeof header === "string" ? header : JSON.stringify(header);
    const source = memorySource(safetensorsBytes(text, new Uint8Array(dataBytes)));
    await refuses(() => readSafetensorsHeader(source), /memory\.bin/, message);
  });
}

test("refuses header lengths beyond the file, the limit and 2^53", async () => {
  for (const length of [100n, 99_000_000n, 200_000_000n, 2n ** 60n, 2n ** 64n - 1n]) {
    const bytes = safetensorsBytes("{}", new Uint8Array(0), length);
    await refuses(() => readSafetensorsHeader(memorySource(bytes)), /header: says it has/);
  }
  const huge = safetensorsBytes("{}", new Uint8Array(0), 200_000_000n);
  await refuses(() => readSafetensorsHeader(memorySource(huge, 1e12)), /header: says it has 200000000/);
});

test("refuses files shorter than a header length", async () => {
  for (const size of [0, 7]) await refuses(() => readSafetensorsHeader(memorySource(new Uint8Array(size))), /header/);
});

test("refuses every truncation of a good file", async () => {
  const header = { a: entry("F32", [2], [0, 8]), b: entry("F16", [2], [8, 12]) };
  const whole = safetensorsBytes(JSON.stringify(header), new Uint8Array(12));
  assert.is((await readSafetensorsHeader(memorySource(whole))).length, 2);
  for (let size = 0; size < whole.length; size++) {
    await refuses(() => readSafetensorsHeader(memorySource(whole.slice(0, size))));
  }
});

test.run();
