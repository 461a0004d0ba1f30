// Weights in blocks: the golden vectors of the layouts, made with gguf-py, on the reference and on every WASM build, and
// products against the reference for every type, ragged rows and several tokens.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackBlocks } from "../../src/backends/reference/blocks.js";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import type { ActivationFormat, Op, TensorSpec } from "../../src/core/op.js";
import { BLOCKS, type BlockType, type PackedBlocks } from "../../src/core/packed.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";
import { type BackendEntry, referenceEntry, wasmEntries } from "./backends.js";
import { randomBlocks } from "./random-blocks.js";

const TYPES = Object.keys(BLOCKS) as BlockType[];
const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
const squares = (values: Float32Array): number => values.reduce((total, value) => total + value * value, 0);

/** Byte i is (37 i + 11) & 255, with the halves d and dmin at their places. */
function patterned(type: BlockType, dAt: number, dminAt: number | null): PackedBlocks {
  const bytes = Uint8Array.from({ length: BLOCKS[type].bytes }, (_, i) => (37 * i + 11) & 255);
  bytes.set([0x4c, 0x22], dAt);
  if (dminAt !== null) bytes.set([0xd6, 0x29], dminAt);
  return { kind: "blocks", type, rows: 1, cols: 256, bytes };
}

const block32 = (type: BlockType, hex: string): PackedBlocks => ({
  ...{ kind: "blocks", type, rows: 1, cols: 32 },
  bytes: bytesOf(hex),
});

const Q5_0 = block32("q5_0", "33b01c87e338e037560e998be174910d5c4fe2b1dd1b");
const Q5_1 = block32("q5_1", "21309abfe3781cc71fb8a9f065740e7b6df1a2b01d4e22e4");
const Q8_0 = block32("q8_0", "3c247f47d48eb7287a61f498a1076c7417aa92e5567e37c48dc6397e54e392ac1975");
const unpackers = async () => {
  const repacker = await openRepacker(nodePlatform());
  return [unpackBlocks, (data: PackedBlocks) => repacker.unpack(data)];
};

test("blocks of 32 columns give gguf-py's values", async () => {
  for (const unpack of await unpackers()) {
    assert.is(sum(unpack(Q5_0)), 4.5928955078125);
    assert.is(sum(unpack(Q5_1)), 4.6048583984375);
    const values = unpack(Q8_0);
    assert.is(sum(values), 4.3997802734375);
    assert.equal(
      [...values.subarray(0, 3)].map((v) => v.toPrecision(9)),
      ["2.10064697", "1.17437744", "-0.727783203"],
    );
  }
});

/** Values at places, the sum and the sum of squares. */
const K_QUANTS = [
  {
    data: patterned("q4_k", 0, 2),
    at: { 0: 1.86856079, 1: -2.32525635, 31: -0.0377197266, 32: -0.848266602, 64: 2.76547241, 255: -0.784057617 },
    sum: 336.312255859375,
    squares: 2491.157638207078,
  },
  {
    data: patterned("q5_k", 0, 2),
    at: { 0: 7.96865845, 32: 0.430786133, 64: 2.76547241, 128: 12.4032898, 255: -0.0461425781 },
    sum: 1096.069580078125,
    squares: 12419.659103676677,
  },
  {
    data: patterned("q6_k", 208, null),
    at: { 0: -17.5992737, 1: 20.8583984, 32: 2.8409729, 64: -37.3876953, 96: -10.6997681, 255: -0.737915039 },
    sum: 56.7210693359375,
    squares: 71679.86345136538,
  },
];

test("K-quants give gguf-py's values", async () => {
  for (const unpack of await unpackers()) {
    for (const { data, at, ...sums } of K_QUANTS) {
      const values = unpack(data);
      for (const [i, value] of Object.entries(at))
        assert.is(values[Number(i)], Math.fround(value), `${data.type} ${i}`);
      assert.is(sum(values), sums.sum, data.type);
      assert.ok(Math.abs(squares(values) - sums.squares) < 1e-9 * sums.squares, data.type);
    }
  }
});

test("Q4_0 and Q4_1 keep their values as records", async () => {
  const repacker = await openRepacker(nodePlatform());
  const plain = repacker.int4("q4_0", bytesOf("33b4f0a43b0f5dc5f0c2490f3ea8f1d1671d"), 1, 32);
  const moved = repacker.int4("q4_1", bytesOf("44349abf0f5cc4f0b33a0f4db6f1c1580e2e99e2"), 1, 32);
  for (const unpack of [unpackInt4, (data: typeof plain) => repacker.unpack(data)]) {
    assert.is(sum(unpack(plain)), 3.67431640625);
    assert.is(unpack(plain)[0].toPrecision(9), "2.09960938");
    assert.is(sum(unpack(moved)), 4.5048828125);
    assert.is(unpack(moved)[3], -1.900390625);
  }
});

test("kernels and reference take every type apart alike, bit for bit", async () => {
  const random = uniform(3);
  const repacker = await openRepacker(nodePlatform());
  for (const type of TYPES) {
    const data = randomBlocks(type, 3, type === "f16" || type === "bf16" ? 301 : 768, random);
    const [a, b] = [repacker.unpack(repacker.checked(data, type)), unpackBlocks(data)];
    assert.equal(a, b, type);
  }
});

async function product({ open }: BackendEntry, data: PackedBlocks, x: Float32Array, activations: ActivationFormat) {
  const { rows, cols, type } = data;
  const tokens = x.length / cols;
  const backend = await open();
  const spec = (id: number, of: TensorSpec["class"], format: TensorSpec["format"], height: number, width: number) => ({
    ...{ id, name: `t${id}`, class: of, part: "decoder" as const, layer: -1, format, rows: height, cols: width },
  });
  try {
    await backend.allocate([
      spec(0, "weights", type, rows, cols),
      spec(1, "weights", "f32", 1, rows),
      spec(2, "activations", "f32", tokens, cols),
      spec(3, "activations", "f32", tokens, rows),
      spec(4, "activations", "f32", 2, cols),
    ]);
    await backend.upload(0, data);
    await backend.upload(1, { kind: "f32", rows: 1, cols: rows, values: new Float32Array(rows).fill(0.5) });
    backend.write(2, x);
    const ops: Op[] = [
      { kind: "matmul", x: 2, xRow: 0, weight: 0, bias: 1, out: 3, rows: tokens, activations },
      { kind: "embed", tokens: [rows - 1, 0], table: 0, out: 4, outRow: 0 },
      { kind: "output", x: 3, xRow: 0, rows: tokens, as: "values" },
      { kind: "output", x: 4, xRow: 0, rows: 2, as: "values" },
    ];
    return (await backend.submit(ops)).outputs as Float32Array[];
  } finally {
    await backend.close();
  }
}

for (const entry of await wasmEntries()) {
  test(`products on ${entry.name}`, async () => {
    const random = uniform(7);
    for (const type of TYPES) {
      for (const tokens of [1, 6]) {
        const cols = BLOCKS[type].columns === 1 ? 301 : 768;
        const data = randomBlocks(type, 71, cols, random);
        const x = Float32Array.from({ length: tokens * cols }, () => random() * 2 - 1);
        for (const activations of ["f32", "int8"] as const) {
          const [got, rows] = await product(entry, data, x, activations);
          const [want, wantRows] = await product(referenceEntry, data, x, activations);
          assert.equal(rows, wantRows, `${type} embed`);
          const size = Math.sqrt(squares(want) / want.length);
          const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i])), 0);
          assert.ok(worst < 2e-5 * size, `${type} ${activations} x ${tokens}: ${worst} of ${size}`);
        }
      }
    }
  });
}

test.run();
