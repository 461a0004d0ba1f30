// ReplaceMe (Shopkhoev et al. 2025): each run of removed blocks is replaced by a linear map of what the MLP before it puts out,
// found on calibration tokens and folded into that MLP's down_proj. No new tensor, no gradient through the model.

import type { DecoderConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { FloatsOf, StreamedForward } from "../core/layers.js";
import type { CompressModule } from "./kernels.js";
import { cosineMap, leastSquaresMap, type ReplaceMeOptions, type Run, type RunActivations } from "./replaceme-maps.js";
import { walk } from "./samples.js";

export interface HealedRun extends Run {
  /** Mean squared residual of the run's output (of weighed tokens: over its mean square) without and with the map; for `cosine` mean 1 - cos of both. */
  readonly before: number;
  readonly after: number;
  /** The ridge's share; 0 for `cosine`. */
  readonly ridge: number;
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
  const { map, ...found } = solved(module, hidden, run, activations, options);
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
  return { result: { ...run, ...found }, values };
}
