// The reference backend against values worked out by hand or by another route: it judges all others, so nothing of its
// own may enter here.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { erf } from "../../src/backends/reference/elementwise.js";
import { fromHalf } from "../../src/backends/reference/half.js";
import { roundActivations } from "../../src/backends/reference/linear.js";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import { openReference } from "../../src/backends/reference.js";
import type { Op } from "../../src/core/op.js";
import { nodePlatform } from "../../src/platform/node.js";
import { caseBuilder, relativeError, runCase } from "./case.js";
import { packInt4, toHalf } from "./quantizer.js";

type Builder = ReturnType<typeof caseBuilder>;

/** What the ops leave in the tensor that `build` names. */
async function compute(build: (b: Builder) => { ops: Op[]; out: number }): Promise<number[]> {
  const b = caseBuilder(1);
  const { ops, out } = build(b);
  const [values] = await runCase(await openReference(nodePlatform()), b.done("", 0, ops, out));
  return [...values];
}

function near(actual: readonly number[], expected: readonly number[]): void {
  assert.ok(relativeError(actual, expected) < 1e-6, `${actual} is not ${expected}`);
}

test("rmsnorm divides by the root of the mean square", async () => {
  const result = await compute((b) => {
    const [x, weight, out] = [b.values(1, 2, [3, 4]), b.values(1, 2, [1, 2]), b.values(1, 2, [0, 0])];
    return { ops: [{ kind: "rmsnorm", x, xRow: 0, weight, out, rows: 1, eps: 0 }], out };
  });
  near(result, [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)]);
});

test("layernorm takes the mean away and divides by the deviation", async () => {
  const result = await compute((b) => {
    const [x, weight, bias] = [b.values(1, 2, [1, 3]), b.values(1, 2, [2, 2]), b.values(1, 2, [0, 5])];
    const out = b.values(1, 2, [0, 0]);
    return { ops: [{ kind: "layernorm", x, weight, bias, out, rows: 1, eps: 0 }], out };
  });
  near(result, [-2, 7]);
});

test("rope turns the first pair by one radian a position", async () => {
  const turned = (style: "adjacent" | "half") =>
    compute((b) => {
      const x = b.values(1, 4, [1, 0, 0, 2]);
      return { ops: [{ kind: "rope", x, rows: 1, start: 1, heads: 1, headDim: 4, theta: 10000, style }], out: x };
    });
  const [c1, s1, c2, s2] = [Math.cos(1), Math.sin(1), Math.cos(0.01), Math.sin(0.01)];
  near(await turned("adjacent"), [c1, s1, -2 * s2, 2 * c2]);
  near(await turned("half"), [c1, -2 * s2, s1, 2 * c2]);
});

test("attention of equal keys is the mean of the values seen", async () => {
  const result = await compute((b) => {
    const q = b.input(2, 2);
    const k = b.values(3, 1, [1, 1, 1]);
    const v = b.values(3, 1, [3, 6, 9]);
    const out = b.values(2, 2, [0, 0, 0, 0]);
    const shape = { rows: 2, start: 1, context: 3, heads: 2, kvHeads: 1, headDim: 1, causal: true };
    return { ops: [{ kind: "attention", q, k, v, out, ...shape }], out };
  });
  near(result, [4.5, 4.5, 6, 6]);
});

test("matmul adds the bias and rounds int8 activations per group", async () => {
  const result = await compute((b) => {
    const [x, out] = [b.values(1, 2, [127, 0.4]), b.values(1, 1, [0])];
    const [weight, bias] = [b.values(1, 2, [1, 1]), b.values(1, 1, [10])];
    return { ops: [{ kind: "matmul", x, xRow: 0, weight, bias, out, rows: 1, activations: "int8" }], out };
  });
  near(result, [137.4]); // f32 weights meet f32 activations
  assert.equal([...roundActivations(Float32Array.of(127, 0.4, 2.5, 63.5, -1), 4)], [127, 0, 2, 64, -1]);
});

test("patchEmbed walks channels, then lines, then columns", async () => {
  const result = await compute((b) => {
    const image = b.values(6, 2, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const weight = b.values(1, 3, [1, 10, 100]);
    const out = b.values(4, 1, [0, 0, 0, 0]);
    return { ops: [{ kind: "patchEmbed", image, weight, out, outRow: 0, imageSize: 2, patch: 1 }], out };
  });
  near(result, [951, 1062, 1173, 1284]);
});

test("activation functions have their known values", async () => {
  const values = (kind: "silu" | "gelu" | "quickGelu") =>
    compute((b) => {
      const x = b.values(1, 3, [0, 1, -1]);
      return { ops: [{ kind, x, out: x, rows: 1 }], out: x };
    });
  near(await values("silu"), [0, 0.7310585786, -0.2689414214]);
  near(await values("gelu"), [0, 0.8413447461, -0.1586552539]);
  near(await values("quickGelu"), [0, 0.845795869, -0.1542041305]);
  near([erf(0.5), erf(2.4), erf(2.6), erf(-4)], [0.5204998778, 0.9993114861, 0.9997639656, -0.9999999846]);
});

test("softmax survives large scores", async () => {
  const result = await compute((b) => {
    const x = b.values(1, 2, [1000, 1000 + Math.log(3)]);
    return { ops: [{ kind: "softmax", x, out: x, rows: 1 }], out: x };
  });
  assert.ok(relativeError(result, [0.25, 0.75]) < 1e-4, `${result}`);
});

test("packed codes are found where the layout says, with each kind of offset", () => {
  assert.equal([0x3c00, 0xc000, 1, 0x7c00].map(fromHalf), [1, -2, 2 ** -24, Number.POSITIVE_INFINITY]);
  const code = (row: number, col: number) => (row * 5 + col * 3) % 16;
  const scale = (row: number, g: number) => (row + 1) * (g + 1);
  for (const group of [16, 32, 64, 128] as const) {
    for (const offset of ["none8", "zeroU4", "bias"] as const) {
      const [rows, cols] = [11, 130];
      const packed = packInt4(
        { rows, cols, group, offset },
        code,
        (r, g) => toHalf(scale(r, g)),
        (r) => r % 7,
      );
      const shift = (r: number) => ({ none8: -8, zeroU4: -(r % 7), bias: 0 })[offset];
      const expected = Array.from({ length: rows * cols }, (_, i) => {
        const [r, c] = [Math.floor(i / cols), i % cols];
        const s = scale(r, Math.floor(c / group));
        return s * (code(r, c) + shift(r)) + (offset === "bias" ? r % 7 : 0);
      });
      assert.equal([...unpackInt4(packed)], expected);
    }
  }
});

test("one record is laid out as described", () => {
  // Row 5, columns 0, 4 and 8 of group 16: lane 1 of the second vector of step 0, then of step 1.
  const packed = packInt4(
    { rows: 8, cols: 16, group: 16, offset: "none8" },
    (row, col) => (row === 5 && col === 0 ? 3 : row === 5 && col === 4 ? 12 : row === 5 && col === 8 ? 1 : 8),
    () => 0x3c00,
  );
  assert.is(packed.codes.length, 80);
  assert.is(packed.codes[16 + 4], 3 | (12 << 4));
  assert.is(packed.codes[32 + 16 + 4], 1 | (8 << 4));
  assert.is(packed.codes[64 + 10], 0);
  assert.is(packed.codes[64 + 11], 0x3c);
});

test.run();
