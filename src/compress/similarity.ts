// Criteria that look at the residual stream before and after blocks, all from one pass: ShortGPT's block influence, Gromov's angular
// distance, LLM-Streamline's cosine of a span, and how far a block's update differs between domain and general text.

import type { StreamedForward } from "../core/layers.js";
import type { CompressModule } from "./kernels.js";
import { type CalibrationSample, type CalibrationSet, TOKEN_CLASSES, type TokenClass, walk } from "./samples.js";

/** A score a block (or a span's first block), by token class; null where the class does not occur. `all` counts every token. */
export type ClassScores = Readonly<Partial<Record<TokenClass, readonly (number | null)[]>>> & {
  readonly all: readonly (number | null)[];
};

export interface SimilarityScores {
  /** 1 - mean cosine of a block's input and output (Men et al. 2024); low: remove first. */
  readonly influence: ClassScores;
  /** Angle / pi between input and output of a block: `all` at the last token of each sample (Gromov et al. 2024), a class at all its tokens. */
  readonly angular: ClassScores;
  /** Span of n blocks from each first block on: angle / pi at the last token, and 1 - mean cosine over all tokens. */
  readonly spanAngular: readonly number[];
  readonly spanCosine: ClassScores;
}

const FIELDS = 4;
const CLASS_BYTES = TOKEN_CLASSES.length * FIELDS * 8;

interface Sums {
  readonly all: Float64Array;
  readonly last: Float64Array;
}

/** Sums over tokens of how alike two states of every sample are. */
function compare(
  { arena, kernels }: CompressModule,
  set: CalibrationSet,
  before: readonly Float32Array[],
  after: readonly Float32Array[],
  hidden: number,
): Sums {
  const mark = arena.mark();
  const [all, last] = [arena.zeros(CLASS_BYTES), arena.zeros(CLASS_BYTES)];
  for (const [i, state] of before.entries()) {
    const inner = arena.mark();
    const [a, b] = [arena.place(state), arena.place(after[i])];
    const rows = state.length / hidden;
    const classes = arena.place(set.samples[i].classes);
    kernels.similarity(a, b, rows, hidden, classes, all);
    const end = (rows - 1) * hidden * 4;
    kernels.similarity(a + end, b + end, 1, hidden, classes + rows - 1, last);
    arena.release(inner);
  }
  const read = (at: number) => arena.doubles(at, TOKEN_CLASSES.length * FIELDS).slice();
  const sums = { all: read(all), last: read(last) };
  arena.release(mark);
  return sums;
}

/** 1 - mean of a field by class; field 1: cosine. */
function oneMinus(sums: readonly Float64Array[]): ClassScores {
  const of = (indices: readonly number[]) =>
    sums.map((own) => {
      const tokens = indices.reduce((total, index) => total + own[index * FIELDS], 0);
      const cosines = indices.reduce((total, index) => total + own[index * FIELDS + 1], 0);
      return tokens === 0 ? null : 1 - cosines / tokens;
    });
  const entries = TOKEN_CLASSES.map((name, index) => [name, of([index])] as const);
  return { ...Object.fromEntries(entries), all: of(TOKEN_CLASSES.map((_, index) => index)) };
}

/** Mean angle of the last tokens, whatever their class. */
function meanAngle(own: Float64Array): number {
  const sum = (field: number) => TOKEN_CLASSES.reduce((total, _, index) => total + own[index * FIELDS + field], 0);
  return sum(2) / sum(0);
}

/** Mean angle of a class's tokens by block; null where it does not occur. */
function classAngles(sums: readonly Float64Array[]): Partial<ClassScores> {
  const of = (index: number) =>
    sums.map((own) => (own[index * FIELDS] === 0 ? null : own[index * FIELDS + 2] / own[index * FIELDS]));
  return Object.fromEntries(TOKEN_CLASSES.map((name, index) => [name, of(index)]));
}

/**
 * One pass over all blocks. `states` are used up; memory holds the residual streams of `span` + 1 blocks.
 * @param span blocks of the span that is to be removed
 */
export async function similarityScores(
  module: CompressModule,
  forward: StreamedForward,
  set: CalibrationSet,
  states: Float32Array[],
  span: number,
  onLayer?: (layer: number) => void | Promise<void>,
): Promise<SimilarityScores> {
  const ring: (readonly Float32Array[])[] = [states.slice()];
  const single: Sums[] = [];
  const spans: Sums[] = [];
  await walk(forward, states, {
    taps: [],
    ...(onLayer ? { onLayer } : {}),
    afterLayer(_, after) {
      single.push(compare(module, set, ring[ring.length - 1], after, forward.hidden));
      ring.push(after.slice());
      if (ring.length <= span) return;
      spans.push(compare(module, set, ring[0], after, forward.hidden));
      ring.shift();
    },
  });
  return {
    influence: oneMinus(single.map(({ all }) => all)),
    angular: { ...classAngles(single.map(({ all }) => all)), all: single.map(({ last }) => meanAngle(last)) },
    spanAngular: spans.map(({ last }) => meanAngle(last)),
    spanCosine: oneMinus(spans.map(({ all }) => all)),
  };
}

/** Residual streams before block 0, used up, and the classes of their tokens. */
export interface Streams {
  readonly states: Float32Array[];
  readonly samples: readonly Pick<CalibrationSample, "classes">[];
}

/**
 * How differently each block works on domain and on general samples: relative distance of the mean magnitudes of its update's channels,
 * over all tokens and over those of each class that occurs in both. Low: the block is not specific to the domain, remove first.
 */
export async function activationShift(
  module: CompressModule,
  forward: StreamedForward,
  domain: Streams,
  general: Streams,
  onLayer?: (layer: number) => void | Promise<void>,
): Promise<ClassScores> {
  const { arena, kernels } = module;
  const own = await updateProfiles(module, forward, domain, onLayer);
  const other = await updateProfiles(module, forward, general, onLayer);
  const of = (kind: Kind) =>
    own.map((profiles, layer) => {
      const [a, b] = [profiles[kind], other[layer][kind]];
      if (!a || !b) return null;
      const mark = arena.mark();
      const distance = kernels.relativeDistance(arena.place(a), arena.place(b), forward.hidden);
      arena.release(mark);
      return distance;
    });
  return { ...Object.fromEntries(TOKEN_CLASSES.map((kind) => [kind, of(kind)])), all: of("all") };
}

type Kind = TokenClass | "all";
const KINDS: readonly Kind[] = [...TOKEN_CLASSES, "all"];
/** Bits of the classes that a kind counts. */
const maskOf = (kind: Kind): number => (kind === "all" ? 0xff : 1 << TOKEN_CLASSES.indexOf(kind));

/** [block]: mean magnitude of each channel of the block's update by kind of token; kinds without tokens are absent. */
async function updateProfiles(
  { arena, kernels }: CompressModule,
  forward: StreamedForward,
  { states, samples }: Streams,
  onLayer?: (layer: number) => void | Promise<void>,
): Promise<Partial<Record<Kind, Float32Array>>[]> {
  const { hidden } = forward;
  const found: Partial<Record<Kind, Float32Array>>[] = [];
  let mark = 0;
  let sums: { readonly kind: Kind; readonly at: number; tokens: number }[] = [];
  await walk(forward, states, {
    taps: [],
    async onLayer(layer) {
      mark = arena.mark();
      sums = KINDS.map((kind) => ({ kind, at: arena.zeros(hidden * 8), tokens: 0 }));
      await onLayer?.(layer);
    },
    onSample(_, sample, before, { out }) {
      const inner = arena.mark();
      const [update, classes] = [arena.place(out as Float32Array), arena.place(samples[sample].classes)];
      kernels.subtract(update, arena.place(before), before.length, update);
      for (const sum of sums) {
        sum.tokens += kernels.magnitudes(update, before.length / hidden, hidden, classes, maskOf(sum.kind), sum.at);
      }
      arena.release(inner);
    },
    afterLayer() {
      const means = arena.alloc(hidden * 4);
      const profiles = sums.flatMap(({ kind, at, tokens }) => {
        if (tokens === 0) return [];
        kernels.means(at, hidden, tokens, means);
        return [[kind, arena.floats(means, hidden).slice()] as const];
      });
      found.push(Object.fromEntries(profiles));
      arena.release(mark);
    },
  });
  return found;
}
