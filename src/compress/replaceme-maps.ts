// The two ways to find ReplaceMe's map from activations: least squares, in its published form or weighed with a chosen ridge, and Adam on
// 1 - cosine.

import { InputError } from "../core/errors.js";
import type { Address, CompressModule } from "./kernels.js";
import { chooseRidge, type MapSums, pullToIdentity } from "./ridge.js";

/** A run of removed blocks first..last, and the block before it that takes the map. */
export interface Run {
  readonly first: number;
  readonly last: number;
  readonly into: number;
}

export interface ReplaceMeOptions {
  readonly form: "least-squares" | "cosine";
  /** Added to the diagonal of M^T M, as a share of its mean, as published; null: tokens weighed, and a ridge on T - I chosen across samples. */
  readonly ridge: number | null;
  /** Of the cosine form (the paper's: 1e-4, 10 epochs of batches of 1024 tokens). */
  readonly rate?: number;
  readonly epochs?: number;
  readonly batch?: number;
}

/** What flows into and out of a run on all tokens: [tokens, hidden] each, one array a sample. */
export interface RunActivations {
  /** Output of the MLP of block `into`. */
  readonly branch: readonly Float32Array[];
  /** Residual stream before that is added. */
  readonly middle: readonly Float32Array[];
  /** Output of the run's last block. */
  readonly target: readonly Float32Array[];
}

export interface Solved {
  /** f64 [hidden, hidden] */
  readonly map: Address;
  readonly before: number;
  readonly after: number;
  readonly tokens: number;
  readonly ridge: number;
}

/**
 * As published with a given ridge: T = (M^T M + alpha I)^-1 M^T (L - Y), all tokens alike. Without one, T = I + (M^T M + alpha I)^-1
 * M^T (L - Y - M): tokens weigh by what a norm behind them sees, and alpha is chosen across samples (ridge.ts). Sums in f64.
 */
export function leastSquaresMap(
  module: CompressModule,
  hidden: number,
  run: Run,
  activations: RunActivations,
  { ridge }: ReplaceMeOptions,
): Solved {
  const { arena, kernels } = module;
  const size = hidden * hidden;
  const tokens = activations.target.reduce((sum, { length }) => sum + length / hidden, 0);
  const isWeighed = ridge === null;
  const empty = (): MapSums => ({ gram: arena.zeros(size * 8), cross: arena.zeros(size * 8) });
  const sums = empty();
  const mark = arena.mark();
  const other = isWeighed ? empty() : sums;
  eachSample(module, hidden, activations, isWeighed, (m, e, rows, sample) => {
    const { gram, cross } = sample % 2 === 0 ? sums : other;
    kernels.gramAdd(m, rows, hidden, gram);
    kernels.crossAdd(m, e, rows, hidden, hidden, cross);
  });
  const share = ridge ?? chooseRidge(module, hidden, [sums, other]);
  if (isWeighed) {
    kernels.addScaledDoubles(sums.gram, other.gram, size, 1);
    kernels.addScaledDoubles(sums.cross, other.cross, size, 1);
  }
  arena.release(mark);
  const alpha = share * kernels.diagonalMean(sums.gram, hidden);
  kernels.addDiagonal(sums.gram, hidden, alpha);
  if (isWeighed) pullToIdentity(kernels, sums.cross, hidden, hidden, alpha);
  const bad = kernels.cholesky(sums.gram, hidden);
  if (bad >= 0) {
    const problem = `M^T M of blocks ${run.first} to ${run.last} is singular at channel ${bad} (${tokens} tokens, ${hidden} channels)`;
    throw new InputError("nibblemark compress", "--heal", problem, "Give more calibration tokens, or --ridge 0.01");
  }
  kernels.solve(sums.gram, hidden, sums.cross, hidden);
  const t = arena.place(new Float32Array(arena.doubles(sums.cross, size)));
  let [before, after] = [0, 0];
  eachSample(module, hidden, activations, isWeighed, (m, e, rows) => {
    // Without the map the run's output would be Y + M.
    before += kernels.squaredDistance(m, e, rows * hidden);
    const out = arena.alloc(rows * hidden * 4);
    kernels.transform(m, rows, hidden, t, hidden, out);
    after += kernels.squaredDistance(out, e, rows * hidden);
  });
  const values = tokens * hidden;
  return { map: sums.cross, before: before / values, after: after / values, tokens, ridge: share };
}

/** M and L - Y of every sample in memory, one at a time; weighed: each token over the root mean square of its L. */
function eachSample(
  { arena, kernels }: CompressModule,
  hidden: number,
  { branch, middle, target }: RunActivations,
  isWeighed: boolean,
  visit: (m: Address, e: Address, rows: number, sample: number) => void,
): void {
  for (const [i, own] of target.entries()) {
    const mark = arena.mark();
    const rows = own.length / hidden;
    const [m, e] = [arena.place(branch[i]), arena.place(own)];
    if (isWeighed) kernels.overMagnitude(m, e, rows, hidden);
    kernels.subtract(e, arena.place(middle[i]), own.length, e);
    if (isWeighed) kernels.overMagnitude(e, arena.place(own), rows, hidden);
    visit(m, e, rows, i);
    arena.release(mark);
  }
}

/** Minimises 1 - cos(M T, L - Y) by Adam from the identity. */
export function cosineMap(
  { arena, kernels }: CompressModule,
  hidden: number,
  _: Run,
  { branch, middle, target }: RunActivations,
  { rate = 1e-4, epochs = 10, batch = 1024 }: ReplaceMeOptions,
): Solved {
  const size = hidden * hidden;
  const tokens = target.reduce((sum, { length }) => sum + length / hidden, 0);
  const [m, e] = [arena.alloc(tokens * hidden * 4), arena.alloc(tokens * hidden * 4)];
  let at = 0;
  for (const [i, own] of target.entries()) {
    arena.floats(m + at * 4, own.length).set(branch[i]);
    arena.floats(e + at * 4, own.length).set(own);
    const mark = arena.mark();
    kernels.subtract(e + at * 4, arena.place(middle[i]), own.length, e + at * 4);
    arena.release(mark);
    at += own.length;
  }
  const t = arena.alloc(size * 4);
  kernels.identity(t, hidden);
  const [first, second] = [arena.zeros(size * 4), arena.zeros(size * 4)];
  const gradient = arena.alloc(size * 8);
  const rows = Math.min(batch, tokens);
  const out = arena.alloc(Math.max(rows, tokens) * hidden * 4);
  const loss = () => {
    kernels.transform(m, tokens, hidden, t, hidden, out);
    return kernels.cosineGradient(out, e, tokens, hidden) / tokens;
  };
  const before = loss();
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let from = 0; from < tokens; from += rows) {
      const count = Math.min(rows, tokens - from);
      const own = m + from * hidden * 4;
      kernels.transform(own, count, hidden, t, hidden, out);
      kernels.cosineGradient(out, e + from * hidden * 4, count, hidden);
      kernels.zero(gradient, size * 8);
      kernels.crossAdd(own, out, count, hidden, hidden, gradient);
      kernels.adamStep(t, gradient, first, second, size, rate, ++step);
    }
  }
  const after = loss();
  const map = arena.alloc(size * 8);
  kernels.widen(t, size, map);
  return { map, before, after, tokens, ridge: 0 };
}
