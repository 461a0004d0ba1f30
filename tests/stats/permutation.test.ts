// The permutation test against hand-counted divisions, and its rate of false alarms over lists of one distribution.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { permutationP } from "../../src/stats/permutation.js";

test("four of the twenty divisions of three and three are as far apart", () => {
  // Medians 2 and 11: 1 2 3 | 10 11 12 and 1 2 10 | 3 11 12, and both mirrored. No division parts them further.
  const p = permutationP([1, 2, 3], [10, 11, 12]);
  assert.ok(Math.abs(p - 4 / 20) < 0.015, String(p));
});

test("equal lists give 1, and the same lists the same value", () => {
  assert.is(permutationP([5, 5, 5, 5], [5, 5, 5]), 1);
  assert.is(permutationP([1, 4, 2, 8], [5, 7, 1, 3]), permutationP([1, 4, 2, 8], [5, 7, 1, 3]));
});

test("one distribution is called different in about one of twenty", () => {
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  const sample = () => Array.from({ length: 9 }, () => 100 + 10 * (random() + random() + random()));
  const trials = 150;
  const alarms = Array.from({ length: trials }, () => permutationP(sample(), sample())).filter((p) => p < 0.05).length;
  assert.ok(alarms > 2 && alarms < trials * 0.09, `${alarms} of ${trials}`);
});

test.run();
