// Sums over the epochs of a watch, and a bounded history of them for the timeline: a watch of a day keeps as much as one of a second.

import type { Span } from "../core/counters.js";
import type { WatchedDelay, WatchedEpoch } from "../core/watch.js";

export interface WatchTotals {
  readonly epochs: number;
  readonly nativeNs: number;
  readonly onCpuNs: number;
  readonly injectedNs: number;
  /** Most threads that ran in one epoch. */
  readonly threads: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly delay: { readonly slowestNs: Span; readonly sumNs: Span } | null;
  /** Native time of the epochs that have a delay. */
  readonly predictedNs: number;
  /** Predicted over native time of those epochs: the slowest thread's at the low end, the sum of all at the high one. */
  readonly slowdown: Span | null;
  readonly lost: number;
  readonly leastRunningShare: number;
}

/** Epochs, merged two by two whenever there are more than so many. */
const MOST_KEPT = 4000;
/** Counters that are states, not sums. */
const GAUGES = ["probes", "touched"];

const plus = (a: Span, b: Span): Span => [a[0] + b[0], a[1] + b[1]];

function addCounters(into: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) {
    into[name] = GAUGES.includes(name) ? count : (into[name] ?? 0) + count;
  }
}

function mergedDelay(a: WatchedDelay | null, b: WatchedDelay | null): WatchedDelay | null {
  if (!a || !b) return a ?? b;
  const solved = (key: "low" | "high") => {
    const [x, y] = [a[key], b[key]];
    const terms = {
      latencyNs: x.terms.latencyNs + y.terms.latencyNs,
      bandwidthNs: x.terms.bandwidthNs + y.terms.bandwidthNs,
      congestionNs: x.terms.congestionNs + y.terms.congestionNs,
      writeBackNs: x.terms.writeBackNs + y.terms.writeBackNs,
      otherHostsNs: (x.terms.otherHostsNs ?? 0) + (y.terms.otherHostsNs ?? 0),
    };
    return {
      localNs: x.localNs + y.localNs,
      placedNs: x.placedNs + y.placedNs,
      delayNs: x.delayNs + y.delayNs,
      terms,
    };
  };
  const ends = { slowestNs: plus(a.slowestNs, b.slowestNs), sumNs: plus(a.sumNs, b.sumNs) };
  return { ...ends, low: solved("low"), high: solved("high") };
}

function merged(a: WatchedEpoch, b: WatchedEpoch): WatchedEpoch {
  const counters: Record<string, number> = { ...a.counters };
  addCounters(counters, b.counters);
  const pools = (end: 0 | 1) =>
    (a.pools?.[end] ?? b.pools?.[end] ?? []).map((one, i) => {
      const other = a.pools && b.pools ? b.pools[end][i] : undefined;
      return {
        chaseLines: one.chaseLines + (other?.chaseLines ?? 0),
        demandLines: one.demandLines + (other?.demandLines ?? 0),
        streamedBytes: one.streamedBytes + (other?.streamedBytes ?? 0),
        writtenBytes: one.writtenBytes + (other?.writtenBytes ?? 0),
      };
    });
  return {
    ...a,
    nativeNs: a.nativeNs + b.nativeNs,
    onCpuNs: a.onCpuNs + b.onCpuNs,
    counters,
    runningShare: Math.min(a.runningShare, b.runningShare),
    lost: a.lost + b.lost,
    pools: a.pools || b.pools ? [pools(0), pools(1)] : null,
    delay: mergedDelay(a.delay, b.delay),
    injectedNs: a.injectedNs + b.injectedNs,
  };
}

export interface TotalsBook {
  add(epoch: WatchedEpoch): void;
  total(): WatchTotals;
  /** The epochs so far, merged where there were too many. */
  history(): readonly WatchedEpoch[];
}

export function openTotals(): TotalsBook {
  const times = { nativeNs: 0, predictedNs: 0, onCpuNs: 0, injectedNs: 0 };
  const sums = { epochs: 0, ...times, threads: 0, lost: 0, leastRunningShare: 1 };
  const counters: Record<string, number> = {};
  let delay: { slowestNs: Span; sumNs: Span } | null = null;
  let kept: WatchedEpoch[] = [];
  let width = 1;
  return {
    add(epoch) {
      sums.epochs++;
      sums.nativeNs += epoch.nativeNs;
      sums.onCpuNs += epoch.onCpuNs;
      sums.injectedNs += epoch.injectedNs;
      sums.threads = Math.max(sums.threads, epoch.threads.length);
      sums.lost += epoch.lost;
      sums.leastRunningShare = Math.min(sums.leastRunningShare, epoch.runningShare);
      addCounters(counters, epoch.counters);
      if (epoch.delay) {
        const { slowestNs, sumNs } = epoch.delay;
        sums.predictedNs += epoch.nativeNs;
        delay = delay
          ? { slowestNs: plus(delay.slowestNs, slowestNs), sumNs: plus(delay.sumNs, sumNs) }
          : { slowestNs, sumNs };
      }
      const last = kept.at(-1);
      if (last && (sums.epochs - 1) % width !== 0) kept[kept.length - 1] = merged(last, epoch);
      else kept.push(epoch);
      if (kept.length <= MOST_KEPT) return;
      kept = kept.flatMap((one, i) =>
        i % 2 === 0 ? [kept[i + 1] ? merged(one, kept[i + 1] as WatchedEpoch) : one] : [],
      );
      width *= 2;
    },
    total() {
      const slowdown = (ns: number) => (sums.predictedNs > 0 ? (sums.predictedNs + ns) / sums.predictedNs : 1);
      const span: Span | null = delay ? [slowdown(delay.slowestNs[0]), slowdown(delay.sumNs[1])] : null;
      return { ...sums, counters: { ...counters }, delay, slowdown: span };
    },
    history: () => kept,
  };
}
