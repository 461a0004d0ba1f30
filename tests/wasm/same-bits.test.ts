// What must not change a bit: the number of threads; and for int8 activations, whose sums are integers, also the build
// and how many tokens go together.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { f32Product, int4Product, int8Product, type Product, random, wasmProduct } from "./twin.js";
import { runningVariants } from "./variants.js";

const variants = await runningVariants();
// More than 2^18 multiply-adds, so that threads are woken; ragged at both ends.
const LARGE = { rows: 1003, cols: 517, tokens: 1 };

const bits = (values: Float32Array): Int32Array => new Int32Array(values.buffer, values.byteOffset, values.length);
const same = (a: Float32Array, b: Float32Array): boolean => {
  const [left, right] = [bits(a), bits(b)];
  return left.length === right.length && left.every((value, i) => value === right[i]);
};

function products(tokens: number): readonly (readonly [string, Product])[] {
  const shape = { ...LARGE, tokens };
  return [
    ["int4 int8", int4Product(random(1), shape, 32, "none8", "int8")],
    ["int4 g128 int8", int4Product(random(2), shape, 128, "none8", "int8")],
    ["int4 zero points", int4Product(random(3), shape, 64, "zeroU4", "int8")],
    ["int4 g128 zero points", int4Product(random(8), shape, 128, "zeroU4", "int8")],
    ["int4 offsets", int4Product(random(9), shape, 32, "bias", "int8")],
    ["int4 g16 offsets", int4Product(random(10), shape, 16, "bias", "int8")],
    ["int4 f32", int4Product(random(4), shape, 32, "none8", "f32")],
    ["int8 int8", int8Product(random(5), shape, "int8")],
    ["int8 f32", int8Product(random(6), shape, "f32")],
    ["f32", f32Product(random(7), shape)],
  ];
}

test("two and three threads give the bits of one", async () => {
  for (const tokens of [1, 2, 9]) {
    for (const [name, product] of products(tokens)) {
      for (const variant of variants.filter((of) => of !== "scalar")) {
        const one = await wasmProduct(product, variant, 1);
        for (const threads of [2, 3]) {
          assert.ok(same(await wasmProduct(product, variant, threads), one), `${variant}, ${name}, ${threads} threads`);
        }
      }
    }
  }
});

test("int8 activations give the same bits in every build", async () => {
  for (const tokens of [1, 7]) {
    for (const [name, product] of products(tokens).filter(([, { activations }]) => activations === "int8")) {
      const scalar = await wasmProduct(product, "scalar", 1);
      for (const variant of variants) {
        assert.ok(same(await wasmProduct(product, variant, 1), scalar), `${variant}, ${name}, ${tokens} tokens`);
      }
    }
  }
});

test("int8 activations give a token the same bits alone and among others", async () => {
  for (const [name, product] of products(6).filter(([, { activations }]) => activations === "int8")) {
    for (const variant of variants) {
      const together = await wasmProduct(product, variant, 1);
      const alone = await wasmProduct({ ...product, tokens: 1, x: product.x.slice(0, LARGE.cols) }, variant, 1);
      assert.ok(same(alone, together.slice(0, LARGE.rows)), `${variant}, ${name}`);
    }
  }
});

test.run();
