// How strongly ReplaceMe's map is pulled towards doing nothing: by the error on samples that a map was not found on. Without it a map
// follows its calibration tokens, and the healed model can be worse than the pruned one on others.

import type { Address, CompressModule } from "./kernels.js";

/** Of some tokens with MLP outputs M and wanted outputs E: f64 M^T M (lower triangle) and M^T E, [hidden, hidden] each. */
export interface MapSums {
  readonly gram: Address;
  readonly cross: Address;
}

/** Candidates, as shares of the mean of the diagonal of M^T M. */
const SHARES = [1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 30];
/** Columns of the map that candidates are judged by: a wide model's all would take minutes. */
const JUDGED = 512;
/** Where there is nothing to judge by. */
const UNJUDGED = 0.3;
/** Channels from which on candidates are walked instead of all tried: each is a factorization of two matrices of that size. */
const WIDE = 2048;

/** The share with the least error when each half of the samples is judged by the other's map. */
export function chooseRidge(module: CompressModule, hidden: number, halves: readonly [MapSums, MapSums]): number {
  const { kernels } = module;
  for (const { gram } of halves) kernels.mirror(gram, hidden);
  const [a, b] = halves;
  const error = (share: number) => errorOf(module, hidden, a, b, share) + errorOf(module, hidden, b, a, share);
  return (hidden < WIDE ? bestOf : walkedBest)(SHARES, error) ?? UNJUDGED;
}

type ErrorOf = (candidate: number) => number;

/** The candidate with the least error, the first of equals; null where all errors are infinite. */
export function bestOf(candidates: readonly number[], errorOf: ErrorOf): number | null {
  let best: { readonly candidate: number | null; readonly error: number } = {
    candidate: null,
    error: Number.POSITIVE_INFINITY,
  };
  for (const candidate of candidates) {
    const error = errorOf(candidate);
    if (error < best.error) best = { candidate, error };
  }
  return best.candidate;
}

/** The same for errors that fall and then rise: from the middle to where they fall, as long as they do. */
export function walkedBest(candidates: readonly number[], errorOf: ErrorOf): number | null {
  let at = candidates.length >> 1;
  let least = errorOf(candidates[at]);
  for (const step of [1, -1]) {
    const from = at;
    for (let next = at + step; candidates[next] !== undefined; next += step) {
      const error = errorOf(candidates[next]);
      if (error >= least) break;
      [at, least] = [next, error];
    }
    if (at !== from) break;
  }
  return least < Number.POSITIVE_INFINITY ? candidates[at] : null;
}

/** Error of `fit`'s map on the tokens of `judge`, up to a constant; infinite where there is no map. */
function errorOf({ arena, kernels }: CompressModule, hidden: number, fit: MapSums, judge: MapSums, share: number) {
  const mark = arena.mark();
  const count = Math.min(hidden, JUDGED);
  const gram = arena.alloc(hidden * hidden * 8);
  arena.doubles(gram, hidden * hidden).set(arena.doubles(fit.gram, hidden * hidden));
  const [map, cross, scratch] = [0, 1, 2].map(() => arena.alloc(hidden * count * 8));
  kernels.firstColumns(fit.cross, hidden, count, map);
  kernels.firstColumns(judge.cross, hidden, count, cross);
  const ridge = share * kernels.diagonalMean(gram, hidden);
  kernels.addDiagonal(gram, hidden, ridge);
  let error = Number.POSITIVE_INFINITY;
  if (kernels.cholesky(gram, hidden) < 0) {
    pullToIdentity(kernels, map, hidden, count, ridge);
    kernels.solve(gram, hidden, map, count);
    error = kernels.mapError(judge.gram, cross, map, hidden, count, scratch);
  }
  arena.release(mark);
  return error;
}

/** M^T E of a ridge on T - I: `ridge` more on the diagonal. cross [hidden, count] */
export function pullToIdentity(
  kernels: CompressModule["kernels"],
  cross: Address,
  hidden: number,
  count: number,
  ridge: number,
): void {
  // Entries (i, i) of `count` columns lie count + 1 apart, as in a matrix of count rows.
  kernels.addDiagonal(cross, Math.min(hidden, count), ridge);
}
