// From first touches of sampled words to lines beyond the cache. A word that is looked at from a random moment on is first touched
// after t with the density (touches a ns) x P(gap > t), whatever the program's pattern: the renewal argument. So what is first touched just
// after the time in which the program touches as much as the cache holds is the rate of touches that find their line gone
// (reuse distance as time: StatStack, Eklov and Hagersten, ISPASS 2010). That is a count in a window, and a count has a Poisson interval.

import type { Span } from "../../core/counters.js";
import { LINE_BYTES } from "../../core/units.js";
import { jointFactor, poissonSpan, shareSpan } from "./intervals.js";

/** Words of 8 bytes in a line: what one debug register covers. */
export const WORDS_PER_LINE = LINE_BYTES / 8;

/** One look at one word. Times are on-CPU ns of the program. */
export interface Probe {
  /** Start of its region. */
  readonly region: number;
  /** Until the first touch; null: none came. */
  readonly touchedNs: number | null;
  /** How long it was looked at, or would have been without the touch. */
  readonly lookNs: number;
  /** Whether the visit stored; null where this was not looked at. */
  readonly stores: boolean | null;
}

/** A closer look at a line that was touched: how far from its first word another one was touched; Infinity: it was not. */
export interface Closer {
  readonly region: number;
  readonly apartNs: number;
}

export interface RegionSize {
  readonly startAddress: number;
  readonly residentBytes: number;
  readonly writable: boolean;
}

/** Lines a ns of on-CPU time, by region. */
export interface RegionRate {
  readonly startAddress: number;
  readonly stream: Span;
  readonly irregular: Span;
  readonly written: Span;
}

export interface Estimate {
  readonly rates: readonly RegionRate[];
  /** After this much time the cache holds nothing of before, at the latest; null: it was not seen. */
  readonly replacedNs: number | null;
}

interface Stratum extends RegionSize {
  readonly words: number;
  readonly probes: readonly Probe[];
  readonly closer: readonly Closer[];
}

/** Lines for each touched word at a share `s` of other words that are touched in the same visit: fewest where all visits are alike, most where they are of one word or of all. */
const linesPerWord = (s: number): Span => [1 / (1 + (WORDS_PER_LINE - 1) * s), 1 - s + s / WORDS_PER_LINE];

/** [touched by then, looked at so long] */
function touchedBy(probes: readonly Probe[], ns: number): readonly [number, number] {
  const long = probes.filter(({ lookNs }) => lookNs >= ns);
  return [long.filter(({ touchedNs }) => touchedNs !== null && touchedNs <= ns).length, long.length];
}

/** Share of the other words of a line that its visit touches too. */
function together({ closer }: Stratum, withinNs: number): { readonly share: number; readonly span: Span } {
  const hits = closer.filter(({ apartNs }) => apartNs <= withinNs).length;
  return { share: closer.length > 0 ? hits / closer.length : 3 / 7, span: shareSpan(hits, closer.length) };
}

/** Bytes of distinct lines that are touched within a time, fewest or most. */
function touchedBytes(strata: readonly Stratum[], ns: number, end: 0 | 1): number {
  return strata.reduce((sum, stratum) => {
    const [touched, looked] = touchedBy(stratum.probes, ns);
    if (looked === 0) return sum;
    const { share } = together(stratum, ns);
    const known = stratum.closer.length > 0 ? linesPerWord(share)[end] : [1 / WORDS_PER_LINE, 1][end];
    const lines = (stratum.words * touched * (known as number)) / looked;
    return sum + LINE_BYTES * Math.min(stratum.words / WORDS_PER_LINE, lines);
  }, 0);
}

/** When so many bytes have been touched; null: not while anything was looked at. */
function replacedAfterNs(strata: readonly Stratum[], bytes: number, end: 0 | 1): number | null {
  const times = strata
    .flatMap(({ probes }) => probes.flatMap(({ touchedNs }) => (touchedNs === null ? [] : [touchedNs])))
    .sort((a, b) => a - b);
  let [low, high] = [0, times.length];
  while (low < high) {
    const at = (low + high) >> 1;
    if (touchedBytes(strata, times[at] as number, end) >= bytes) high = at;
    else low = at + 1;
  }
  return times[low] ?? null;
}

interface Counted {
  /** First touches in the window, and words a ns that each stands for. */
  readonly count: number;
  readonly weight: number;
}

/** Words that are first touched between two times, scaled to the region. */
function between(strata: readonly Stratum[], fromNs: number, toNs: number): Counted {
  const looks = strata.flatMap(({ probes }) => probes);
  const [touched, looked] = touchedBy(looks, toNs);
  const before = looks.filter(({ lookNs, touchedNs }) => lookNs >= toNs && touchedNs !== null && touchedNs <= fromNs);
  const words = strata.reduce((sum, stratum) => sum + stratum.words, 0);
  const weight = looked > 0 && toNs > fromNs ? words / (looked * (toNs - fromNs)) : 0;
  return { count: touched - before.length, weight };
}

/** The longest look that enough of the probes had. */
function longest(strata: readonly Stratum[]): number {
  const looks = strata.flatMap(({ probes }) => probes.map(({ lookNs }) => lookNs)).sort((a, b) => a - b);
  return looks[Math.floor(looks.length * 0.75)] ?? 0;
}

function fewestLines(stratum: Stratum, replacedNs: number | null, mostNs: number): number {
  if (replacedNs === null) return 0;
  // The density falls with time, so that its mean over any later window is no more than it is at the window's start.
  const { count, weight } = between(
    [stratum],
    replacedNs,
    Math.min(2 * replacedNs, Math.max(mostNs, replacedNs * 1.1)),
  );
  if (count === 0) return 0;
  const { share, span } = together(stratum, replacedNs);
  const [each, least] = [linesPerWord(share)[0], linesPerWord(span[1])[0]];
  return (count * weight * each) / jointFactor(count / poissonSpan(count)[0], each / least);
}

function mostLines(stratum: Stratum, rest: Counted, replacedNs: number): number {
  // A line is gone once in that time at most.
  const cap = stratum.words / WORDS_PER_LINE / replacedNs;
  const { count, weight } = between([stratum], replacedNs / 2, replacedNs);
  if (count === 0) return Math.min(cap, stratum.words * poissonSpan(rest.count)[1] * rest.weight);
  const { share, span } = together(stratum, replacedNs);
  const [each, most] = [linesPerWord(share)[1], linesPerWord(span[0])[1]];
  return Math.min(cap, count * weight * each * jointFactor(poissonSpan(count)[1] / count, most / each));
}

/** Of the visits that found their line gone, those that stored. */
function storeShare({ probes, writable }: Stratum, fromNs: number): Span {
  if (!writable) return [0, 0];
  const looked = probes.filter(({ stores, touchedNs }) => stores !== null && touchedNs !== null && touchedNs >= fromNs);
  return shareSpan(looked.filter(({ stores }) => stores).length, looked.length);
}

/** Rates of lines beyond a cache of `llcBytes`, by region, with 95 % intervals; a reuse between one and two caches may be a miss or not. */
export function estimateRates(
  probes: readonly Probe[],
  closer: readonly Closer[],
  sizes: readonly RegionSize[],
  llcBytes: number,
): Estimate {
  const strata = sizes.map((size): Stratum => {
    const own = <T extends { readonly region: number }>(list: readonly T[]) =>
      list.filter(({ region }) => region === size.startAddress);
    return { ...size, words: size.residentBytes / 8, probes: own(probes), closer: own(closer) };
  });
  const [late, soon] = [replacedAfterNs(strata, 2 * llcBytes, 0), replacedAfterNs(strata, llcBytes, 1)];
  const mostNs = longest(strata);
  // Regions where nothing was seen share one bound: each for itself would be looked at too little.
  const unseen = soon === null ? [] : strata.filter((one) => between([one], soon / 2, soon).count === 0);
  const all = unseen.reduce((sum, { words }) => sum + words, 0);
  const pooled = soon === null ? { count: 0, weight: 0 } : between(unseen, soon / 2, soon);
  const rest = { count: 0, weight: all > 0 ? pooled.weight / all : 0 };
  const rates = strata.map((stratum): RegionRate => {
    const { startAddress } = stratum;
    const none: Span = [0, 0];
    if (soon === null) return { startAddress, stream: none, irregular: none, written: none };
    const high = mostLines(stratum, rest, soon);
    const lines: Span = [Math.min(high, fewestLines(stratum, late, mostNs)), high];
    const { share } = together(stratum, soon);
    const streamed = share / WORDS_PER_LINE / linesPerWord(share)[1];
    const stores = storeShare(stratum, soon / 2);
    return {
      startAddress,
      stream: [lines[0] * streamed, lines[1] * streamed],
      irregular: [lines[0] * (1 - streamed), lines[1] * (1 - streamed)],
      written: [lines[0] * stores[0], lines[1] * stores[1]],
    };
  });
  return { rates, replacedNs: late };
}
