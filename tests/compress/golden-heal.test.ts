// The worked examples of ReplaceMe (least squares with and without ridge) and of block influence and angular distance.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { builds, near, openBuild } from "./module.js";

const [d, tokens] = [3, 8];
const grid = (value: (i: number, j: number) => number) =>
  Array.from({ length: tokens * d }, (_, at) => value(Math.floor(at / d), at % d));
const M = grid((i, j) => (((7 * i + 3 * j + i * j) % 11) - 5) / 4);
const Y = grid((i, j) => (((5 * i + 2 * j + i * j * j) % 7) - 3) / 2);
const G = [
  [1.2, 0.1, 0],
  [0, 0.8, -0.2],
  [0.05, 0, 1.1],
];
const L = grid((i, j) => {
  const e = 0.05 * (((3 * i + 4 * j) % 5) - 2);
  return Y[i * d + j] + G.reduce((sum, row, k) => sum + M[i * d + k] * row[j], 0) + e;
});

for (const build of builds) {
  for (const [alpha, expected] of [
    [
      0,
      [1.27660683, 0.08995368, -0.06919514, -0.01308628, 0.81244933, -0.17880718, 0.04444123, 0.01988998, 1.02316155],
    ],
    [
      0.1,
      [1.24631129, 0.08306287, -0.07801394, -0.02017897, 0.7940932, -0.17930086, 0.02882536, 0.01445324, 0.99252929],
    ],
  ] as const) {
    test(`least squares with alpha ${alpha} (${build})`, async () => {
      const module = await openBuild(build);
      const { kernels, arena } = module;
      const m = arena.place(Float32Array.from(M));
      const [l, y, e] = [Float32Array.from(L), Float32Array.from(Y), new Float32Array(24)].map(arena.place);
      kernels.subtract(l, y, 24, e);
      const [g, t] = [arena.zeros(72), arena.zeros(72)];
      kernels.gramAdd(m, tokens, d, g);
      kernels.crossAdd(m, e, tokens, d, d, t);
      kernels.addDiagonal(g, d, alpha);
      assert.is(kernels.cholesky(g, d), -1);
      kernels.solve(g, d, t, d);
      [...arena.doubles(t, 9)].forEach((value, i) => {
        assert.ok(Math.abs(value - expected[i]) < 1e-6, `${value} is not ${expected[i]}`);
      });
      await module.close();
    });
  }

  test(`block influence and angles (${build})`, async () => {
    const module = await openBuild(build);
    const { kernels, arena } = module;
    const states = [
      [1, 2, 3, 4, 0, 1, 0, 1, 2, 0, -1, 1],
      [1, 2, 3, 5, 0, 1, 1, 1, 2, 1, -1, 1],
      [2, -1, 3, 5, 1, 1, 1, 1, 2, 1, -3, 1],
    ].map((values) => arena.place(Float32Array.from(values)));
    const classes = arena.place(Uint8Array.from([0, 0, 1]));
    const between = (a: number, b: number) => {
      const sums = arena.zeros(128);
      kernels.similarity(states[a], states[b], 3, 4, classes, sums);
      return [...arena.doubles(sums, 16)];
    };
    const influence = (sums: number[]) => 1 - (sums[1] + sums[5]) / (sums[0] + sums[4]);
    assert.ok(near(influence(between(0, 1)), 0.0878947436, 1e-9));
    assert.ok(near(influence(between(1, 2)), 0.1279565529, 1e-9));
    // The last token alone is in class 1.
    assert.ok(near(between(0, 1)[6], 0.1233758572, 1e-9));
    assert.ok(near(between(1, 2)[6], 0.1586712512, 1e-9));
    assert.ok(near(between(0, 2)[6], 0.1806250961, 1e-9));
    await module.close();
  });
}

test.run();
