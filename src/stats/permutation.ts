// Whether two lists of timings differ: a two-sided permutation test of the difference of the medians.

import { median } from "simple-statistics";

const ROUNDS = 10_000;

/** Uniform numbers in [0, 1), the same ones each time (a linear congruential generator with Numerical Recipes' constants). */
function repeatable(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Fisher and Yates, in place. */
function shuffle(values: number[], random: () => number): void {
  for (const [i] of values.entries()) {
    const j = i + Math.floor(random() * (values.length - i));
    [values[i], values[j]] = [values[j] as number, values[i] as number];
  }
}

/**
 * Share of 10,000 random divisions of all samples whose medians lie as far apart as those of `a` and `b`, the real division
 * counted in (Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, 3.2). The logarithm makes twice as slow and
 * twice as fast equally far. The same lists give the same value.
 * @param a at least one positive time, as `b`
 */
export function permutationP(a: readonly number[], b: readonly number[]): number {
  const all = [...a, ...b].map(Math.log);
  const apart = () => Math.abs(median(all.slice(0, a.length)) - median(all.slice(a.length)));
  // Sums in another order may differ in the last bits.
  const least = apart() * (1 - 1e-9);
  const random = repeatable();
  let asFar = 1;
  for (let round = 0; round < ROUNDS; round++) {
    shuffle(all, random);
    if (apart() >= least) asFar++;
  }
  return asFar / (ROUNDS + 1);
}
