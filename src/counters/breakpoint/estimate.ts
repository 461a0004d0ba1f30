// From touches of sampled words to lines beyond the cache. A touch is a miss where more than the cache was touched since the touch
// before (its reuse distance, by StatStack's reasoning: Eklov and Hagersten, ISPASS 2010); between one and two caches it may be one.

import type { Span } from "../../core/counters.js";
import { LINE_BYTES } from "../../core/units.js";

/** Words of 8 bytes in a line: what one debug register covers. */
export const WORDS_PER_LINE = LINE_BYTES / 8;

/** What one probe of one word saw. */
export interface Probe {
  /** Start of its region. */
  readonly region: number;
  readonly touches: number;
  /** On-CPU time that it was armed. */
  readonly armedNs: number;
  /** Its limit ended it: the last touch ended the time. */
  readonly capped: boolean;
  /** Of them stores; null where this was not looked at. */
  readonly stores: number | null;
}

/** How many of a line's words a visit touches, by region: what a closer look at lines that were hit has seen. */
export interface Closer {
  readonly region: number;
  /** 1..8 */
  readonly words: number;
}

export interface RegionSize {
  readonly startAddress: number;
  readonly residentBytes: number;
}

/** Lines a ns of on-CPU time, by region. */
export interface RegionRate {
  readonly startAddress: number;
  readonly stream: Span;
  readonly irregular: Span;
  readonly written: Span;
}

/** Touches a ns. A probe that ends with its k-th touch has seen k - 1 gaps. */
function rateOf({ touches, armedNs, capped }: Probe): number {
  return armedNs > 0 ? Math.max(0, touches - (capped && touches > 1 ? 1 : 0)) / armedNs : 0;
}

/** 95 % interval of a Poisson count over the count (normal approximation with continuity; exact enough from a few on). */
export function poissonSpan(count: number): Span {
  if (count <= 0) return [0, 0];
  const half = 1.96 * Math.sqrt(count + 0.25);
  return [Math.max(0, count - half) / count, (count + half + 1) / count];
}

interface Hit {
  readonly region: number;
  readonly rate: number;
  /** Lines that this probe stands for, fewest and most. */
  readonly lines: Span;
  readonly words: number;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function wordsOf(closer: readonly Closer[], region: number): { readonly mean: number; readonly known: Span } {
  const seen = closer.filter((one) => one.region === region).map(({ words }) => words);
  if (seen.length === 0) return { mean: WORDS_PER_LINE / 2, known: [1, WORDS_PER_LINE] };
  const mean = sum(seen) / seen.length;
  return { mean, known: [mean, mean] };
}

function hitsOf(probes: readonly Probe[], closer: readonly Closer[], sizes: readonly RegionSize[]): Hit[] {
  return sizes.flatMap(({ startAddress, residentBytes }) => {
    const own = probes.filter(({ region }) => region === startAddress);
    const { mean, known } = wordsOf(closer, startAddress);
    // Each probe stands for its share of the region's words; lines are words over the words a visit touches.
    const words = residentBytes / 8 / Math.max(1, own.length);
    return own
      .filter((probe) => rateOf(probe) > 0)
      .map((probe) => ({
        region: startAddress,
        rate: rateOf(probe),
        lines: [words / known[1], words / known[0]] as const,
        words: mean,
      }));
  });
}

/** Bytes of distinct lines touched within a time, by the rates of all probes. */
function touchedBytes(hits: readonly Hit[], ns: number, end: 0 | 1): number {
  return LINE_BYTES * sum(hits.map(({ rate, lines }) => lines[end] * Math.min(1, rate * ns)));
}

function storeShare(probes: readonly Probe[]): number {
  const looked = probes.filter(({ stores }) => stores !== null);
  const touches = sum(looked.map((probe) => probe.touches));
  return touches > 0 ? Math.min(1, sum(looked.map(({ stores }) => stores ?? 0)) / touches) : 0;
}

/** Rates of lines beyond a cache of `llcBytes`, by region, with 95 % intervals. Time is quadratic in the probes that were hit. */
export function estimateRates(
  probes: readonly Probe[],
  closer: readonly Closer[],
  sizes: readonly RegionSize[],
  llcBytes: number,
): RegionRate[] {
  const hits = hitsOf(probes, closer, sizes);
  // Fewest misses: the fewest lines against two caches; most: the most lines against one.
  const missing = ([0, 1] as const).map((end) =>
    hits.filter(({ rate }) => touchedBytes(hits, 1 / rate, end) > llcBytes * (end === 0 ? 2 : 1)),
  );
  return sizes.map(({ startAddress }) => {
    const own = missing.map((list) => list.filter(({ region }) => region === startAddress));
    const stores = storeShare(probes.filter(({ region }) => region === startAddress));
    // A store that follows a load of the same word is no visit of its own.
    const visits = [Math.max(stores, 1 - stores), 1] as const;
    const rate = (end: 0 | 1) => {
      const list = own[end] as Hit[];
      return sum(list.map((hit) => hit.lines[end] * hit.rate)) * visits[end] * poissonSpan(list.length)[end];
    };
    const all: Span = [rate(0), rate(1)];
    // Visits of one word are taken as irregular, visits of all eight as a stream, what lies between as a mixture.
    const { mean } = wordsOf(closer, startAddress);
    const streamed = (mean - 1) / (WORDS_PER_LINE - 1);
    return {
      startAddress,
      stream: [all[0] * streamed, all[1] * streamed],
      irregular: [all[0] * (1 - streamed), all[1] * (1 - streamed)],
      // A line that is stored to once a visit comes back dirty; of loads and stores in pairs half are stores.
      written: [all[0] * stores, all[1] * Math.min(1, 2 * stores)],
    };
  });
}
