// One epoch of a watched program: its lines spread over the pools where its regions live, and what the delay model makes of them.

import type { CountedEpoch, RegionLines, Span } from "../core/counters.js";
import type { EpochDelay } from "../core/epoch.js";
import type { PlacedRegion } from "../core/regions.js";
import type { TraceTraffic } from "../core/trace.js";
import { LINE_BYTES } from "../core/units.js";
import type { WatchedDelay } from "../core/watch.js";

/** What a delay is computed from: the slowest thread's time and share of the work, and how many ran side by side. */
export interface EpochWork {
  readonly nativeNs: number;
  readonly threads: number;
  readonly pools: readonly TraceTraffic[];
  readonly counters: Readonly<Record<string, number>>;
}

/** The delay model; null: it lacks events. */
export type Evaluate = (work: EpochWork) => EpochDelay | null;

type Pools = readonly TraceTraffic[];

const NOTHING: TraceTraffic = { chaseLines: 0, demandLines: 0, streamedBytes: 0, writtenBytes: 0 };

function scaled(traffic: TraceTraffic, by: number): TraceTraffic {
  return {
    chaseLines: traffic.chaseLines * by,
    demandLines: traffic.demandLines * by,
    streamedBytes: traffic.streamedBytes * by,
    writtenBytes: traffic.writtenBytes * by,
  };
}

function added(a: TraceTraffic, b: TraceTraffic): TraceTraffic {
  return {
    chaseLines: a.chaseLines + b.chaseLines,
    demandLines: a.demandLines + b.demandLines,
    streamedBytes: a.streamedBytes + b.streamedBytes,
    writtenBytes: a.writtenBytes + b.writtenBytes,
  };
}

/** Lines of no pattern wait one for another at the high end, and not at all at the low one. */
function trafficOf(lines: RegionLines, end: 0 | 1): TraceTraffic {
  const irregular = lines.irregularLines[end];
  return {
    chaseLines: end === 1 ? irregular : 0,
    demandLines: lines.strideLines[end] + (end === 0 ? irregular : 0),
    streamedBytes: lines.streamLines[end] * LINE_BYTES,
    writtenBytes: lines.writtenLines[end] * LINE_BYTES,
  };
}

/** Shares of the pools in a range of addresses, by the bytes of the placed regions that it meets. */
function sharesOf(lines: RegionLines, placed: readonly PlacedRegion[], whole: readonly number[]): readonly number[] {
  const end = lines.startAddress + lines.sizeBytes;
  const met = placed.flatMap(({ region, shares }) => {
    const from = Math.max(region.startAddress, lines.startAddress);
    const bytes = Math.min(region.startAddress + region.sizeBytes, end) - from;
    return bytes > 0 ? [{ bytes, shares }] : [];
  });
  const sum = met.reduce((total, { bytes }) => total + bytes, 0);
  if (sum === 0) return whole;
  return whole.map((_, pool) => met.reduce((total, one) => total + (one.bytes / sum) * (one.shares[pool] ?? 0), 0));
}

/** Shares of the pools by resident bytes: where nobody knows the addresses, misses are taken to be spread alike. */
export function residentShares(placed: readonly PlacedRegion[], pools: number): readonly number[] {
  const writable = placed.filter(({ region }) => region.writable);
  const list = writable.length > 0 ? writable : placed;
  const sum = list.reduce((total, { region }) => total + region.residentBytes, 0);
  return Array.from({ length: pools }, (_, pool) => {
    if (sum === 0) return pool === 0 ? 1 : 0;
    return list.reduce((total, one) => total + (one.region.residentBytes / sum) * (one.shares[pool] ?? 0), 0);
  });
}

/** [pools] lines of an epoch, fewest and most; null where the source tells none. */
export function poolLines(epoch: CountedEpoch, placed: readonly PlacedRegion[], pools: number): [Pools, Pools] | null {
  const whole = residentShares(placed, pools);
  const { llcMisses, trafficLines, writtenLines } = epoch.counters;
  if (epoch.regions.length > 0) {
    const shares = epoch.regions.map((lines) => sharesOf(lines, placed, whole));
    const at = (end: 0 | 1) =>
      Array.from({ length: pools }, (_, pool) =>
        epoch.regions.reduce(
          (sum, lines, i) => added(sum, scaled(trafficOf(lines, end), shares[i]?.[pool] ?? 0)),
          NOTHING,
        ),
      );
    return [at(0), at(1)];
  }
  if (llcMisses === undefined) return null;
  const streamed = Math.max(0, (trafficLines ?? llcMisses) - llcMisses);
  const all = (end: 0 | 1): TraceTraffic => ({
    chaseLines: end === 1 ? llcMisses : 0,
    demandLines: end === 0 ? llcMisses : 0,
    streamedBytes: streamed * LINE_BYTES,
    writtenBytes: (writtenLines ?? 0) * LINE_BYTES,
  });
  return [whole.map((share) => scaled(all(0), share)), whole.map((share) => scaled(all(1), share))];
}

/** Two clocks that are read one after another: so much more than the epoch is still one thread. */
const READ_SKEW = 1.1;

/** Threads' worth of time. Times of /proc come a timer tick late and may exceed the epoch; a task clock does not. */
function parallelOf(epoch: CountedEpoch, onCpuNs: number, longestNs: number): number {
  const times = epoch.threads.map((thread) => thread.onCpuNs).filter((ns) => ns > 0);
  const isClocked = epoch.counters.taskClockNs !== undefined;
  if (times.length === 0 || isClocked) {
    const parallel = longestNs > 0 ? Math.max(1, onCpuNs / longestNs) : 1;
    return times.length === 1 && parallel < READ_SKEW ? 1 : parallel;
  }
  return onCpuNs / Math.max(...times);
}

/** How many threads' worth of time ran beside the slowest, and the slowest one's time. */
export function activity(
  epoch: CountedEpoch,
  nativeNs: number,
): { onCpuNs: number; slowestNs: number; parallel: number } {
  const times = epoch.threads.map(({ onCpuNs }) => onCpuNs);
  const listed = times.reduce((a, b) => a + b, 0);
  const onCpuNs = epoch.counters.taskClockNs ?? listed;
  // /proc tells times a timer tick late: no thread ran longer than the epoch.
  const longest = Math.min(
    nativeNs,
    times.length > 0 && listed > 0 ? (Math.max(...times) / listed) * onCpuNs : onCpuNs,
  );
  return { onCpuNs, slowestNs: longest, parallel: parallelOf(epoch, onCpuNs, longest) };
}

/** Delay of an epoch; null where nothing was counted that it could be computed from. */
export function delayOf(
  epoch: CountedEpoch,
  nativeNs: number,
  pools: readonly [Pools, Pools] | null,
  evaluate: Evaluate,
): WatchedDelay | null {
  const { slowestNs, parallel } = activity(epoch, nativeNs);
  if (slowestNs <= 0) return null;
  const none = pools?.[0].map(() => NOTHING) ?? [];
  // Threads share the lines by their time: the group is solved at once, so that they meet at the pools' bandwidth.
  const at = (end: 0 | 1) =>
    evaluate({
      nativeNs: slowestNs,
      threads: Math.max(1, Math.round(parallel)),
      pools: pools?.[end] ?? none,
      counters: epoch.counters,
    });
  const [low, high] = [at(0), at(1)];
  if (!low || !high) return null;
  const [less, more] = low.delayNs <= high.delayNs ? [low, high] : [high, low];
  const slowest: Span = [less.delayNs, more.delayNs];
  return { slowestNs: slowest, sumNs: [slowest[0] * parallel, slowest[1] * parallel], low: less, high: more };
}
