// What a model without some blocks predicts, measured: loss and divergence from the whole model by class of token, with or without
// ReplaceMe's map. Behind perplexity, task loss, greedy re-scoring and our own search. The whole model's states are kept, so a
// trial runs only from the first block on that is missing.

import type { DecoderConfig } from "../core/config.js";
import type { FloatsOf, StreamedForward } from "../core/layers.js";
import type { LogitComparer, LogitComparison } from "../core/ports.js";
import type { CompressModule } from "./kernels.js";
import { healRun, runsOf } from "./replaceme.js";
import type { ReplaceMeOptions } from "./replaceme-maps.js";
import { type CalibrationSample, type CalibrationSet, TOKEN_CLASSES, type TokenClass, walk } from "./samples.js";

export interface ClassLoss {
  readonly tokens: number;
  /** Mean -ln p of the true token, and mean KL(whole model || this one), in nats. */
  readonly nll: number;
  readonly kl: number;
}

/** By the class of the token that is predicted; classes that do not occur are absent. */
export type Losses = Readonly<Partial<Record<TokenClass, ClassLoss>>>;

export interface Trial {
  readonly layers: number;
  /** The whole model's own loss; its kl is 0. */
  readonly base: Losses;
  losses(removed: readonly number[], heal: boolean): Promise<Losses>;
  /** Sets that were run, not counting those that were known. */
  runs(): number;
}

export interface TrialParts {
  readonly module: CompressModule;
  readonly config: DecoderConfig;
  readonly floats: FloatsOf;
  readonly forward: StreamedForward;
  readonly comparer: LogitComparer;
  readonly set: CalibrationSet;
  /** Residual streams before block 0; used up. */
  readonly states: Float32Array[];
  readonly ridge: number | null;
  /** Before each set that is run; `runs` were before it. */
  readonly onRun?: (runs: number) => Promise<void>;
  /** Results of an earlier call that was killed, and where new ones go. They count as runs, so that a search takes the same way. */
  readonly memo?: TrialMemo;
}

export interface TrialMemo {
  find(key: string): Losses | undefined;
  add(key: string, losses: Losses): Promise<void>;
}

/** What the whole model puts out on every sample. */
export interface Kept {
  /** [layer][sample]: residual streams before each block, and after the last. */
  readonly states: readonly (readonly Float32Array[])[];
  /** Of the MLP and before it is added; empty unless they were asked for. */
  readonly branches: readonly (readonly Float32Array[])[];
  readonly middles: readonly (readonly Float32Array[])[];
}

/** Runs the whole model once and keeps what trials need. @param healing keep what ReplaceMe needs too */
export async function openTrial(parts: TrialParts, healing: boolean): Promise<Trial> {
  const { forward, set } = parts;
  const kept = await keepActivations(parts, healing);
  const whole: Float32Array[] = [];
  for (const [i, state] of kept.states[forward.layers].entries())
    whole.push(await scored(parts, set.samples[i], state));
  const base = lossesOf(parts, whole, whole);
  const known = new Map<string, Losses>();
  let runs = 0;
  return {
    layers: forward.layers,
    base,
    runs: () => runs,
    async losses(removed, heal) {
      if (removed.length === 0) return base;
      const key = `${[...removed].sort((a, b) => a - b)} ${heal}`;
      const before = known.get(key);
      if (before) return before;
      await parts.onRun?.(runs);
      runs++;
      const losses = parts.memo?.find(key) ?? (await run(removed, heal));
      await parts.memo?.add(key, losses);
      known.set(key, losses);
      return losses;
    },
  };

  async function run(removed: readonly number[], heal: boolean): Promise<Losses> {
    const logits: Float32Array[] = [];
    for (const half of heal ? halvesOf(set.samples.length) : [{ judged: set.samples.map((_, i) => i), fitted: [] }]) {
      const healed = heal ? await healKept(parts, kept, removed, half.fitted) : new Map<string, Float32Array>();
      const start = heal ? Math.min(...removed) - 1 : Math.min(...removed);
      const states = half.judged.map((i) => kept.states[start][i]);
      const layers = Array.from({ length: forward.layers - start }, (_, i) => start + i);
      const floats: FloatsOf = async (name) => healed.get(name) ?? parts.floats(name);
      await walk(forward, states, { taps: [], layers: layers.filter((layer) => !removed.includes(layer)), floats });
      for (const [at, i] of half.judged.entries()) logits[i] = await scored(parts, set.samples[i], states[at]);
    }
    return lossesOf(parts, whole, logits);
  }
}

/** Runs the whole model over `states`, which are used up. @param healing keep what ReplaceMe needs too */
export async function keepActivations(
  { forward, states, floats }: Pick<TrialParts, "forward" | "states" | "floats">,
  healing: boolean,
): Promise<Kept> {
  const all: Float32Array[][] = [states.slice()];
  const empty = () => Array.from({ length: forward.layers }, (): Float32Array[] => []);
  const [branches, middles] = [empty(), empty()];
  await walk(forward, states, {
    taps: healing ? ["branch", "middle"] : [],
    floats,
    onSample(layer, sample, _, taps) {
      if (!healing) return;
      branches[layer][sample] = taps.branch as Float32Array;
      middles[layer][sample] = taps.middle as Float32Array;
    },
    afterLayer: (_, after) => {
      all.push(after.slice());
    },
  });
  return { states: all, branches, middles };
}

/** First position whose next token is predicted by what came before: pictures and the first token are given. */
function firstScored({ classes }: CalibrationSample): number {
  const image = TOKEN_CLASSES.indexOf("image");
  return Math.max(0, classes.lastIndexOf(image));
}

/** Logits of the scored positions of one sample. */
export async function scored(
  { forward }: Pick<TrialParts, "forward">,
  sample: CalibrationSample,
  state: Float32Array,
): Promise<Float32Array> {
  const first = firstScored(sample);
  const { hidden } = forward;
  return forward.logits(state.subarray(first * hidden, (sample.tokens.length - 1) * hidden));
}

/** Losses of one model's scored logits beside a base's, by class of the predicted token. */
export function lossesOf(
  { comparer, set, config }: Pick<TrialParts, "comparer" | "set" | "config">,
  base: readonly Float32Array[],
  own: readonly Float32Array[],
): Losses {
  const sums = new Map<TokenClass, LogitComparison[]>();
  const { vocab } = config;
  for (const [i, sample] of set.samples.entries()) {
    const first = firstScored(sample);
    // Runs of targets of one class.
    for (let from = first + 1; from < sample.tokens.length; ) {
      const kind = sample.classes[from];
      let end = from;
      while (end < sample.tokens.length && sample.classes[end] === kind) end++;
      const part = (logits: Float32Array) => logits.subarray((from - 1 - first) * vocab, (end - 1 - first) * vocab);
      const targets = Int32Array.from(sample.tokens.slice(from, end));
      const name = TOKEN_CLASSES[kind];
      const found = comparer.compare(part(base[i]), part(own[i]), targets);
      sums.set(name, [...(sums.get(name) ?? []), found]);
      from = end;
    }
  }
  const mean = (list: readonly LogitComparison[]): ClassLoss => {
    const tokens = list.reduce((sum, { rows }) => sum + rows, 0);
    const total = (key: "nll" | "kl") => list.reduce((sum, one) => sum + one[key], 0) / tokens;
    return { tokens, nll: total("nll"), kl: total("kl") };
  };
  return Object.fromEntries([...sums].map(([name, list]) => [name, mean(list)]));
}

/** Samples by turns in two halves, each judged with maps of the other: a map is never judged on what it was found on. */
export function halvesOf(count: number): { readonly judged: readonly number[]; readonly fitted: readonly number[] }[] {
  const all = Array.from({ length: count }, (_, i) => i);
  if (count < 2) return [{ judged: all, fitted: all }];
  // Pairs take turns: the samples of one half must again have two halves that are alike.
  const [a, b] = [0, 1].map((side) => all.filter((i) => Math.floor(i / 2) % 2 === side));
  return b.length === 0 ? [{ judged: all, fitted: all }] : [a, b].map((judged, i) => ({ judged, fitted: [b, a][i] }));
}

/** ReplaceMe's new values for a set of removed blocks from what was kept. @param fitted samples that maps are found on */
export async function healKept(
  parts: Pick<TrialParts, "module" | "config" | "floats" | "ridge">,
  kept: Kept,
  removed: readonly number[],
  fitted: readonly number[],
): Promise<Map<string, Float32Array>> {
  const options: ReplaceMeOptions = { form: "least-squares", ridge: parts.ridge };
  const changed = new Map<string, Float32Array>();
  for (const run of runsOf(removed)) {
    const of = (list: readonly Float32Array[]) => fitted.map((i) => list[i]);
    const activations = {
      branch: of(kept.branches[run.into]),
      middle: of(kept.middles[run.into]),
      target: of(kept.states[run.last + 1]),
    };
    const { values } = await healRun(parts, run, activations, options);
    for (const [name, floats] of values) changed.set(name, floats);
  }
  return changed;
}

/** Mean over the classes that occur: an answer of two tokens counts as much as a page of text. */
export function meanLoss(losses: Losses, field: "nll" | "kl", only?: TokenClass): number {
  const found = Object.entries(losses).filter(([name]) => only === undefined || name === only);
  return found.reduce((sum, [, loss]) => sum + loss[field], 0) / found.length;
}
