// ReplaceMe (Shopkhoev et al. 2025): each run of removed blocks is replaced by a linear map of what the MLP before it puts out,
// found on calibration tokens and folded into that MLP's down_proj. No new tensor, no gradient through the model.

import type { DecoderConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { FloatsOf, StreamedForward } from "../core/layers.js";
import type { Address, CompressModule } from "./kernels.js";
import { walk } from "./samples.js";

/** A run of removed blocks first..last, and the block before it that takes the map. */
export interface Run {
  readonly first: number;
  readonly last: number;
  readonly into: number;
}

export interface ReplaceMeOptions {
  readonly form: "least-squares" | "cosine";
  /** Added to the diagonal of M^T M, as a share of its mean; null: 0, or 0.01 where there are fewer tokens than channels. */
  readonly ridge: number | null;
  /** Of the cosine form (the paper's: 1e-4, 10 epochs of batches of 1024 tokens). */
  readonly rate?: number;
  readonly epochs?: number;
  readonly batch?: number;
}

export interface HealedRun extends Run {
  /** Mean squared residual of the run's output without and with the map; for `cosine` mean 1 - cos of both. */
  readonly before: number;
  readonly after: number;
  readonly tokens: number;
}

export interface Healing {
  /** New values by the name that the tensor has in the unpruned model. */
  readonly changed: ReadonlyMap<string, Float32Array>;
  readonly runs: readonly HealedRun[];
}

/** Maximal runs of removed blocks. Throws InputError where one begins at block 0: no block before it could take a map. */
export function runsOf(removed: readonly number[]): Run[] {
  const sorted = [...removed].sort((a, b) => a - b);
  const runs: Run[] = [];
  for (const layer of sorted) {
    const open = runs.at(-1);
    if (open && open.last === layer - 1) runs[runs.length - 1] = { ...open, last: layer };
    else runs.push({ first: layer, last: layer, into: layer - 1 });
  }
  if (runs[0]?.first === 0) {
    const problem = "block 0 is removed, no block before it can take what heals";
    throw new InputError("nibblemark compress", "--heal replaceme", problem, "Keep block 0, or heal by sft");
  }
  return runs;
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

export interface ReplaceMeParts {
  readonly module: CompressModule;
  readonly config: DecoderConfig;
  readonly floats: FloatsOf;
  readonly forward: StreamedForward;
  /** Residual streams before block 0; used up. */
  readonly states: Float32Array[];
  readonly onLayer?: (layer: number) => void | Promise<void>;
}

/** Heals all runs of a set from one pass through the unpruned model. */
export async function replaceMe(
  parts: ReplaceMeParts,
  removed: readonly number[],
  options: ReplaceMeOptions,
): Promise<Healing> {
  const runs = runsOf(removed);
  const changed = new Map<string, Float32Array>();
  const healed: HealedRun[] = [];
  const branch: Float32Array[] = [];
  const middle: Float32Array[] = [];
  const last = Math.max(...runs.map((run) => run.last));
  await walk(parts.forward, parts.states, {
    taps: ["branch", "middle"],
    layers: Array.from({ length: last + 1 }, (_, layer) => layer),
    floats: parts.floats,
    ...(parts.onLayer ? { onLayer: parts.onLayer } : {}),
    onSample(layer, sample, _, taps) {
      if (!runs.some(({ into }) => into === layer)) return;
      branch[sample] = taps.branch as Float32Array;
      middle[sample] = taps.middle as Float32Array;
    },
    async afterLayer(layer, target) {
      const run = runs.find((one) => one.last === layer);
      if (!run) return;
      const { result, values } = await healRun(parts, run, { branch, middle, target }, options);
      healed.push(result);
      for (const [name, floats] of values) changed.set(name, floats);
    },
  });
  return { changed, runs: healed };
}

/** One run: the map, folded into `down_proj` (and its bias) of block `into`. */
export async function healRun(
  { module, config, floats }: Pick<ReplaceMeParts, "module" | "config" | "floats">,
  run: Run,
  activations: RunActivations,
  options: ReplaceMeOptions,
): Promise<{ readonly result: HealedRun; readonly values: ReadonlyMap<string, Float32Array> }> {
  const { arena, kernels } = module;
  const { hidden, ffn } = config;
  const mark = arena.mark();
  const solved = options.form === "cosine" ? cosineMap : leastSquaresMap;
  const { map, before, after, tokens } = solved(module, hidden, run, activations, options);
  const name = `model.layers.${run.into}.mlp.down_proj`;
  const values = new Map<string, Float32Array>();
  const fold = async (own: string, cols: number) => {
    const inner = arena.mark();
    const out = arena.alloc(hidden * cols * 4);
    kernels.fold(map, arena.place(await floats(own)), hidden, cols, out);
    values.set(own, arena.floats(out, hidden * cols).slice());
    arena.release(inner);
  };
  await fold(`${name}.weight`, ffn);
  if (config.biases?.includes("down")) await fold(`${name}.bias`, 1);
  arena.release(mark);
  return { result: { ...run, before, after, tokens }, values };
}

interface Solved {
  /** f64 [hidden, hidden] */
  readonly map: Address;
  readonly before: number;
  readonly after: number;
  readonly tokens: number;
}

/** T = (M^T M + alpha I)^-1 M^T (L - Y), accumulated in f64. */
function leastSquaresMap(
  { arena, kernels }: CompressModule,
  hidden: number,
  run: Run,
  { branch, middle, target }: RunActivations,
  { ridge }: ReplaceMeOptions,
): Solved {
  const [gram, map] = [arena.zeros(hidden * hidden * 8), arena.zeros(hidden * hidden * 8)];
  const tokens = target.reduce((sum, { length }) => sum + length / hidden, 0);
  const each = (visit: (m: Address, e: Address, rows: number) => void) => {
    for (const [i, own] of target.entries()) {
      const mark = arena.mark();
      const [m, e] = [arena.place(branch[i]), arena.place(own)];
      kernels.subtract(e, arena.place(middle[i]), own.length, e);
      visit(m, e, own.length / hidden);
      arena.release(mark);
    }
  };
  each((m, e, rows) => {
    kernels.gramAdd(m, rows, hidden, gram);
    kernels.crossAdd(m, e, rows, hidden, hidden, map);
  });
  const share = ridge ?? (tokens < hidden ? 0.01 : 0);
  if (share > 0) kernels.addDiagonal(gram, hidden, share * kernels.diagonalMean(gram, hidden));
  const bad = kernels.cholesky(gram, hidden);
  if (bad >= 0) {
    const problem = `M^T M of blocks ${run.first} to ${run.last} is singular at channel ${bad} (${tokens} tokens, ${hidden} channels)`;
    throw new InputError("nibblemark compress", "--heal", problem, "Give more calibration tokens, or --ridge 0.01");
  }
  kernels.solve(gram, hidden, map, hidden);
  const t = arena.place(Float32Array.from(arena.doubles(map, hidden * hidden)));
  let [before, after] = [0, 0];
  each((m, e, rows) => {
    // Without the map the run's output would be Y + M.
    before += kernels.squaredDistance(m, e, rows * hidden);
    const out = arena.alloc(rows * hidden * 4);
    kernels.transform(m, rows, hidden, t, hidden, out);
    after += kernels.squaredDistance(out, e, rows * hidden);
  });
  const values = tokens * hidden;
  return { map, before: before / values, after: after / values, tokens };
}

/** Minimises 1 - cos(M T, L - Y) by Adam from the identity. */
function cosineMap(
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
  return { map, before, after, tokens };
}
