// The packed product equals a plain triple loop for sizes that leave ragged tiles in every direction.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeUniform, openModule } from "./tiny.js";

const sizes = [
  [1, 1, 1],
  [5, 9, 7],
  [33, 12, 300],
  [4, 8, 4],
  [37, 515, 261],
  [13, 6, 33],
] as const;

for (const [m, n, k] of sizes) {
  test(`${m} x ${n} x ${k}, both operands as stored and transposed, written and added`, async () => {
    const { kernels, arena } = await openModule();
    const uniform = makeUniform(m * n + k);
    const fill = (count: number) => Float32Array.from({ length: count }, () => uniform() - 0.5);
    const [a, b] = [fill(m * k), fill(k * n)];
    const [aAt, bAt, cAt] = [arena.place(a), arena.place(b), arena.alloc(m * n)];
    for (const [transA, transB, adds] of [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => [
      bits & 1,
      (bits >> 1) & 1,
      bits >> 2,
    ])) {
      kernels.fill(cAt, 1, m * n);
      kernels.gemm(m, n, k, aAt, transA ? m : k, transA, bAt, transB ? k : n, transB, cAt, n, adds, 0);
      const c = arena.floats(cAt, m * n);
      let worst = 0;
      for (let i = 0; i < m * n; i++) {
        const [row, column] = [Math.floor(i / n), i % n];
        let sum = adds;
        for (let p = 0; p < k; p++)
          sum += a[transA ? p * m + row : row * k + p] * b[transB ? column * k + p : p * n + column];
        worst = Math.max(worst, Math.abs(sum - c[i]));
      }
      // k products below 1/4 summed in f32.
      assert.ok(worst < 1e-6 * (k + 8), `difference ${worst}`);
    }
  });
}

test.run();
