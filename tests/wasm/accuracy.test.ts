// How exact the int4 products are over 4096 columns, as relative L2 error of float64 with exact activations: f32 grade 3e-7
// (scalar 1e-6), int8 activations 9e-3, in every build, for one token (vector kernels) and several (tiles), in all groups. And values at the ends of f32's range.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Group } from "../../src/core/packed.js";
import { relativeError } from "../conformance/case.js";
import { int4Product, type Product, random, slowProduct, wasmProduct } from "./twin.js";
import { runningVariants } from "./variants.js";

const F32_GRADE = 3e-7;
const INT8_GRADE = 9e-3;
const GROUPS: readonly Group[] = [16, 32, 64, 128];

/** Sum of three uniform numbers: near enough to a normal distribution. */
function bellShaped(product: Product, seed: number): Product {
  const next = random(seed);
  return { ...product, bias: null, x: product.x.map(() => next() + next() + next() - 1.5) };
}

const variants = await runningVariants();

for (const group of GROUPS) {
  test(`groups of ${group} keep their grade`, async () => {
    for (const tokens of [1, 5]) {
      const shape = { rows: 64, cols: 4096, tokens };
      const exact = bellShaped(int4Product(random(group), shape, group, "none8", "f32"), tokens);
      const slow = slowProduct(exact);
      for (const variant of variants) {
        const f32 = relativeError(await wasmProduct(exact, variant, 1), slow);
        assert.ok(f32 <= (variant === "scalar" ? 1e-6 : F32_GRADE), `${variant}, ${tokens} tokens, f32: ${f32}`);
        const int8 = relativeError(await wasmProduct({ ...exact, activations: "int8" }, variant, 1), slow);
        assert.ok(int8 > 1e-4 && int8 <= INT8_GRADE, `${variant}, ${tokens} tokens, int8: ${int8}`);
      }
    }
  });
}

for (const offset of ["zeroU4", "bias"] as const) {
  for (const group of GROUPS) {
    test(`groups of ${group} with ${offset} keep their grade`, async () => {
      for (const tokens of [1, 5]) {
        const shape = { rows: 64, cols: 4096, tokens };
        const exact = bellShaped(int4Product(random(group + 1), shape, group, offset, "f32"), tokens);
        const slow = slowProduct(exact);
        for (const variant of variants) {
          const f32 = relativeError(await wasmProduct(exact, variant, 1), slow);
          assert.ok(f32 <= (variant === "scalar" ? 1e-6 : F32_GRADE), `${variant}, ${tokens} tokens, f32: ${f32}`);
          const int8 = relativeError(await wasmProduct({ ...exact, activations: "int8" }, variant, 1), slow);
          assert.ok(int8 > 1e-4 && int8 <= INT8_GRADE, `${variant}, ${tokens} tokens, int8: ${int8}`);
        }
      }
    });
  }
}

test("zeros, huge and tiny activations, and one that outweighs its group", async () => {
  const shape = { rows: 24, cols: 200, tokens: 6 };
  const sizes = [0, 1e-33, 1e-20, 1, 1e20, 1e32];
  const base = int4Product(random(3), shape, 32, "none8", "f32");
  const x = base.x.map((value, i) => value * sizes[Math.floor(i / 200)] * (i % 32 === 5 ? 1e4 : 1));
  const together = { ...base, bias: null, x };
  for (let token = 0; token < 6; token++) {
    const alone = { ...together, tokens: 1, x: x.slice(token * 200, token * 200 + 200) };
    const slow = slowProduct(alone);
    for (const variant of variants) {
      const row = (await wasmProduct(together, variant, 1)).slice(token * 24, token * 24 + 24);
      for (const out of [row, await wasmProduct(alone, variant, 1)]) {
        const name = `${variant}, token ${token}`;
        // Groups below 1e-30 may count as zeros.
        if (sizes[token] < 1e-30)
          assert.ok(
            out.every((value) => Math.abs(value) < 1e-26),
            name,
          );
        else assert.ok(relativeError(out, slow) < 2e-6, `${name}: ${relativeError(out, slow)}`);
      }
    }
  }
});

test("a NaN or an infinity does not pass for a number", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const tokens of [1, 4]) {
      const product = int4Product(random(8), { rows: 9, cols: 64, tokens }, 32, "none8", "f32");
      product.x[3] = bad;
      for (const variant of variants) {
        const out = (await wasmProduct(product, variant, 1)).subarray(0, 9);
        assert.ok(
          out.every((value) => !Number.isFinite(value)),
          `${variant}, ${bad}, ${tokens} tokens`,
        );
      }
    }
  }
});

test.run();
