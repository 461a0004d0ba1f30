// Elementwise kernels and norms against float64 where they are hard: large and tiny arguments, far positions.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { erf } from "../../src/backends/reference/elementwise.js";
import { openWasm } from "../../src/backends/wasm.js";
import type { Op, TensorSpec } from "../../src/core/op.js";
import { nodePlatform } from "../../src/platform/node.js";
import { runningVariants } from "./variants.js";

const variants = await runningVariants();

/** One [rows, cols] tensor through an op in place, on every variant. */
async function through(x: readonly number[], cols: number, op: (x: number) => Op): Promise<number[][]> {
  const rows = x.length / cols;
  const spec: TensorSpec = {
    ...{ id: 0, name: "x", class: "activations", part: "decoder", layer: -1, format: "f32", rows, cols },
  };
  return Promise.all(
    variants.map(async (variant) => {
      const backend = await openWasm(nodePlatform(), { variant, threads: 1 });
      await backend.allocate([spec]);
      backend.write(0, Float32Array.from(x));
      const { outputs } = await backend.submit([op(0), { kind: "output", x: 0, xRow: 0, rows, as: "values" }]);
      await backend.close();
      return [...outputs[0]];
    }),
  );
}

function near(actual: readonly number[], expected: readonly number[], relative: number): void {
  actual.forEach((value, i) => {
    const limit = relative * Math.abs(expected[i]) + 1e-37;
    assert.ok(Math.abs(value - expected[i]) <= limit, `entry ${i}: ${value}, expected ${expected[i]}`);
  });
}

const POINTS = [-1000, -90, -20, -5.5, -2, -1, -0.3, -1e-3, -1e-20, 0, 1e-20, 1e-3, 0.3, 1, 2, 5.5, 20, 90, 1000];
const points = POINTS.map(Math.fround);

test("silu and quick-GELU keep relative accuracy from -20 to 1000 and vanish far below", async () => {
  for (const [kind, slope] of [
    ["silu", 1],
    ["quickGelu", 1.702],
  ] as const) {
    for (const result of await through(points, points.length, (x) => ({ kind, x, out: x, rows: 1 }))) {
      near(
        result.slice(2),
        points.slice(2).map((x) => x / (1 + Math.exp(-slope * x))),
        2e-6,
      );
      for (const value of result.slice(0, 2)) assert.ok(Math.abs(value) < 1e-34);
    }
  }
});

test("GELU is exact to f32 in both tails", async () => {
  const inside = points.filter((x) => Math.abs(x) <= 5.5);
  // erfc by its continued fraction keeps the relative accuracy that 1 + erf loses for negative x.
  const expected = inside.map((x) => (x > -2 ? 0.5 * x * (1 + erf(x / Math.SQRT2)) : x * tail(-x / Math.SQRT2)));
  for (const result of await through(inside, inside.length, (x) => ({ kind: "gelu", x, out: x, rows: 1 }))) {
    near(result, expected, 3e-7);
  }
});

/** erfc(z) / 2 for z > 1 (Abramowitz & Stegun 7.1.14). */
function tail(z: number): number {
  let fraction = 0;
  for (let n = 200; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.exp(-z * z) / (2 * Math.sqrt(Math.PI) * (z + fraction));
}

test("softmax of wide scores sums to one and orders them", async () => {
  const x = [-1e4, 0, 50, 51, 51, -3, 700];
  for (const result of await through(x, x.length, (id) => ({ kind: "softmax", x: id, out: id, rows: 1 }))) {
    assert.ok(Math.abs(result.reduce((a, b) => a + b) - 1) < 1e-6);
    assert.is(result.indexOf(Math.max(...result)), 6);
  }
});

test("rope turns by the float64 angle at far positions", async () => {
  const [headDim, start] = [64, 8000];
  const x = Array.from({ length: headDim }, (_, i) => Math.fround(Math.sin(i)));
  const op = { kind: "rope", rows: 1, start, heads: 1, headDim, theta: 1e4, style: "half" } as const;
  const turn = (i: number, a: number, b: number, sign: number) => {
    const angle = start * 1e4 ** ((-2 * i) / headDim);
    return a * Math.cos(angle) + sign * b * Math.sin(angle);
  };
  const expected = x.map((value, n) => (n < 32 ? turn(n, value, x[n + 32], -1) : turn(n - 32, value, x[n - 32], 1)));
  for (const result of await through(x, headDim, (id) => ({ ...op, x: id }))) {
    for (const [i, value] of result.entries()) assert.ok(Math.abs(value - expected[i]) < 3e-7, `entry ${i}`);
  }
});

test.run();
