// The worked example of AWQ's search: losses of grid points, the best scales, clipping, codes, scales, zero points. Computed
// in double precision from the published formulas (llm-awq's, and AutoAWQ's duo scaling).

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CompressModule } from "../../src/compress/kernels.js";
import { builds, exampleW, exampleX, near, openBuild } from "./module.js";

const [rows, cols, tokens, group] = [4, 8, 16, 4];
const flags = 4;

function losses({ kernels, arena }: CompressModule, magnitude: number) {
  const [x, w] = [arena.place(exampleX), arena.place(exampleW)];
  const sums = arena.zeros(cols * 8);
  const [means, s, work] = [arena.alloc(cols * 4), arena.alloc(cols * 4), arena.alloc(64)];
  kernels.means(sums, cols, kernels.magnitudes(x, tokens, cols, 0, 0, sums), means);
  if (magnitude) {
    kernels.zero(magnitude, cols * 4);
    kernels.magnitudeAdd(w, rows, cols, group, magnitude);
    arena.floats(magnitude, cols).set(arena.floats(magnitude, cols).map((value) => value / rows));
  }
  const all = Array.from({ length: 20 }, (_, i) => {
    kernels.gridScales(means, magnitude, cols, i / 20, s);
    return kernels.fakeLoss(w, w, rows, cols, s, x, tokens, group, flags, work) / (tokens * rows);
  });
  return { x, w, s, means, all, sx: [...arena.floats(means, cols)] };
}

for (const build of builds) {
  test(`the scale grid gives the published losses (${build})`, async () => {
    const module = await openBuild(build);
    const { all, sx } = losses(module, 0);
    assert.equal(sx, [0.703125, 0.671875, 2.75, 0.625, 1, 1.4453125, 0.703125, 0.71875]);
    for (const [i, loss] of [
      [0, 0.0085365204],
      [1, 0.0051018177],
      [10, 0.0039524417],
      [15, 0.0025810036],
    ]) {
      assert.ok(near(all[i], loss, 1e-5), `grid point ${i}: ${all[i]}`);
    }
    assert.is(all.indexOf(Math.min(...all)), 15);
    await module.close();
  });

  test(`duo scaling gives the published loss (${build})`, async () => {
    const module = await openBuild(build);
    const { all } = losses(module, module.arena.alloc(cols * 4));
    assert.is(all.indexOf(Math.min(...all)), 11);
    assert.ok(near(all[11], 0.0018206778, 1e-5), `${all[11]}`);
    await module.close();
  });

  test(`clipping and rounding give the published codes (${build})`, async () => {
    const module = await openBuild(build);
    const { kernels, arena } = module;
    const { x, w, s, means } = losses(module, 0);
    kernels.gridScales(means, 0, cols, 15 / 20, s);
    const scales = [0.62671435, 0.60570561, 1.74298943, 0.57372694, 0.81619745, 1.07588673, 0.62671435, 0.63713084];
    [...arena.floats(s, cols)].forEach((value, i) => {
      assert.ok(near(value, scales[i], 1e-6), `${value}`);
    });
    kernels.scaleColumns(w, rows, cols, s, 1);
    kernels.divideBy(x, tokens * cols, tokens, s);
    const gram = arena.zeros((cols / group) * group * group * 4);
    kernels.blockGramAdd(x, tokens, cols, group, gram);
    const [limits, choice] = [arena.alloc(32), arena.alloc(8)];
    kernels.clipSearch(w, rows, cols, group, flags, gram, limits, choice);
    assert.equal([...arena.bytes(choice, 8)], [0, 0, 0, 1, 1, 0, 0, 0]);
    const original = arena.place(arena.floats(w, rows * cols).slice());
    kernels.clamp(w, rows, cols, group, limits, w);
    const [codes, steps, zeros, values] = [32, 32, 8, 128].map((bytes) => arena.alloc(bytes));
    kernels.roundRows(w, rows, cols, group, flags, codes, steps, zeros);
    assert.equal(
      [...arena.bytes(codes, 32)],
      [14, 15, 0, 8, 15, 12, 0, 6, 15, 11, 0, 12, 15, 0, 0, 11, 15, 5, 0, 15, 11, 0, 9, 15, 8, 0, 15, 15, 5, 0, 15, 14],
    );
    assert.equal([...arena.bytes(zeros, 8)], [11, 7, 11, 6, 10, 9, 8, 10]);
    const expected = [0.05628267, 0.04312204, 0.07846333, 0.04150364, 0.04758201, 0.05637499, 0.03793635, 0.04279374];
    [...arena.floats(steps, 8)].forEach((value, i) => {
      assert.ok(near(value, expected[i], 1e-5), `${value}`);
    });
    kernels.dequantize(codes, steps, zeros, rows, cols, group, values);
    const [want, have] = [arena.alloc(256), arena.alloc(256)];
    kernels.fakeOutput(original, rows, cols, 0, x, tokens, group, -1, want, rows);
    kernels.fakeOutput(values, rows, cols, 0, x, tokens, group, -1, have, rows);
    assert.ok(near(kernels.squaredDistance(want, have, 64) / 64, 0.0023769971, 1e-5));
    await module.close();
  });
}

test.run();
