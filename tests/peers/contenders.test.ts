// The contenders of the peers benchmark do the same work: each computes the products of the same generated matrix.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ContenderName, MatmulWork } from "../../benchmarks/peers/case.js";
import type { OpenContender } from "../../benchmarks/peers/contender.js";
import { isInstalled } from "../../benchmarks/peers/folders.js";
import { errorOf, seededInput, seededMatrix } from "../../benchmarks/peers/matrix.js";
import { openPace } from "../../benchmarks/peers/pace.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";

const WORK: MatmulWork = { kind: "matmul", rows: 64, cols: 256, group: 32, tokens: 2 };

/** Largest relative L2 error of each arm: f32 activations, int8 activations. */
const LIMITS: Record<string, number> = { f32: 1e-6, int8: 1e-2, acc0: 1e-6, acc4: 1e-2 };

for (const name of ["nibblemark", "onnxruntime-node", "onnxruntime-web"] as const satisfies readonly ContenderName[]) {
  test(`${name} multiplies by the generated matrix`, async () => {
    if (name !== "nibblemark") {
      const script = join(root, "scripts", "peers.mjs");
      if (process.env.CI === "true") execFileSync(process.execPath, [script, name], { stdio: "inherit" });
      if (!need(isInstalled(name), name, `Run node scripts/peers.mjs ${name}`)) return;
    }
    const { open } = (await import(`../../benchmarks/peers/${name}.js`)) as { open: OpenContender };
    const { arms, close } = await open(WORK, 1, name);
    const tried = Object.entries(arms);
    assert.is(tried.length, 2);
    for (const [arm, { run, error }] of tried) {
      assert.is((await run()).amount, 1);
      const off = await error();
      assert.ok(off !== null && off > 0 && off <= LIMITS[arm], `${arm}: error ${off}`);
    }
    await close();
  });
}

test("an error is relative to the float64 product", () => {
  const matrix = seededMatrix(WORK);
  const x = seededInput(WORK);
  const exact = Float64Array.from({ length: 2 * WORK.rows }, (_, i) => {
    const [token, row] = [Math.floor(i / WORK.rows), i % WORK.rows];
    let sum = 0;
    for (let c = 0; c < WORK.cols; c++) {
      const byte = matrix.codes[(row * WORK.cols + c) >> 1];
      const code = c % 2 === 0 ? byte & 15 : byte >> 4;
      sum += x[token * WORK.cols + c] * (code - 8) * matrix.scales[(row * WORK.cols) / 32 + Math.floor(c / 32)];
    }
    return sum;
  });
  assert.is(errorOf(matrix, x, exact), 0);
  const off = exact.map((value) => value * 1.01);
  assert.ok(Math.abs(errorOf(matrix, x, off) - 0.01) < 1e-12);
});

test("the register loop takes time", () => {
  const pace = openPace();
  assert.ok(pace() > 2, "80,000 vector additions take over 2 us on any core");
});

test.run();
