// GGUF headers that lie are refused before anything is made for what they promise.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { readGgufHeader } from "../../src/formats/gguf/header.js";
import { memorySource } from "./memory-source.js";

type Part = readonly [4 | 8, number | bigint] | string | Uint8Array;

/** u32, u64, text with its length, raw bytes. */
function bytesOf(...parts: readonly Part[]): Uint8Array {
  const chunks = parts.map((part) => {
    if (part instanceof Uint8Array) return part;
    if (typeof part === "string") {
      return Uint8Array.from([...bytesOf([8, part.length]), ...new TextEncoder().encode(part)]);
    }
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(part[1]), true);
    return new Uint8Array(view.buffer, 0, part[0]);
  });
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

const MAGIC: Part = [4, 0x46554747];
const head = (tensors: number | bigint, pairs: number | bigint, ...rest: Part[]) =>
  bytesOf(MAGIC, [4, 3], [8, tensors], [8, pairs], ...rest, new Uint8Array(64));
const tensor = (sizes: readonly (number | bigint)[], type: number, offset: number | bigint): Part[] => [
  ...["w", [4, sizes.length] as const, ...sizes.map((size) => [8, size] as const)],
  ...([
    [4, type],
    [8, offset],
  ] as const),
];

const CASES: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ["another version", bytesOf(MAGIC, [4, 1], new Uint8Array(64)), /version: is 1/],
  ["big-endian", bytesOf(MAGIC, [4, 0x03000000], new Uint8Array(64)), /big-endian/],
  ["absurd tensor count", head(1n << 62n, 0), /tensor count: is 4611686018427387904, more than/],
  ["absurd metadata count", head(0, 1n << 40n), /metadata count/],
  ["endless key", head(0, 1, [8, 1n << 50n]), /is a text of 1125899906842624 bytes/],
  ["key twice", head(0, 2, "a", [4, 4], [4, 1], "a", [4, 4], [4, 1]), /a: the key stands twice/],
  ["no UTF-8", head(0, 1, [8, 1], Uint8Array.of(0xff)), /is no UTF-8/],
  ["unknown value type", head(0, 1, "a", [4, 13]), /a: has the value type 13/],
  ["array of arrays", head(0, 1, "a", [4, 9], [4, 9], [8, 1]), /a: is an array of arrays/],
  ["endless array", head(0, 1, "a", [4, 9], [4, 10], [8, 1n << 61n]), /a: is an array of 2305843009213693952/],
  ["integer beyond 2^53", head(0, 1, "a", [4, 10], [8, 1n << 60n]), /a: is an integer beyond/],
  ["bad alignment", head(0, 1, "general.alignment", [4, 4], [4, 33]), /general.alignment: is 33/],
  ["tensor twice", head(2, 0, ...tensor([1], 0, 0), ...tensor([1], 0, 32)), /w: the tensor stands twice/],
  ["too many dimensions", head(1, 0, "w", [4, 9]), /w: has 9 dimensions/],
  ["sizes that overflow", head(1, 0, ...tensor([1n << 40n, 1n << 40n], 0, 0)), /w: has the sizes/],
  ["unknown type", head(1, 0, ...tensor([32], 99, 0)), /w: has the type 99/],
  ["type that is not read", head(1, 0, ...tensor([256], 23, 0)), /w: has the type IQ4_XS/],
  ["rows that fill no blocks", head(1, 0, ...tensor([40], 8, 0)), /Q8_0 needs multiples of 32/],
  ["unaligned offset", head(1, 0, ...tensor([1], 0, 8)), /no multiple of 32/],
  ["beyond the file", head(1, 0, ...tensor([1 << 20], 0, 0)), /w: ends at byte/],
];

for (const [name, bytes, expected] of CASES) {
  test(name, async () => {
    let message = "";
    await readGgufHeader(memorySource(bytes)).catch((error: Error) => {
      assert.is(error.name, "InputError");
      message = error.message;
    });
    assert.match(message, expected);
  });
}

test.run();
