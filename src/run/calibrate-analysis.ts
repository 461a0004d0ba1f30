// From calibration measurements to a host profile: cache levels, the translation cost, a monotone loaded-latency curve, lines in
// flight by Little's law. Pure functions over a few dozen points.

import type { CacheLevel, ChainPoint, ChasePoint, FarBandwidthPoint, LoadedPoint } from "../core/calibration.js";
import type { CurvePoint } from "../core/host.js";
import { LINE_BYTES } from "../core/units.js";

/** A buffer this much slower than the level before it lies beyond it. */
const NEXT_LEVEL = 1.5;
/** A buffer at this share of DRAM's latency or more is DRAM for the most part. */
const DRAM_LIKE = 0.75;
/** Capacity over the measured peak in the one-parameter queue of assembly/epoch. */
const HEADROOM = 1.2;
/** A curve that ends below this share of the peak says nothing about the peak: the queue stands in. */
const CURVE_REACH = 0.9;
/** Bandwidths closer than this are one load. */
const DISTINCT = 1.02;
const DISTURBED = 1.05;
/** Loads below this share of the peak say nothing about the queue. */
const QUEUE_REACH = 0.3;

/**
 * Levels of the near chase: a plateau of two or more sizes, which ends where the latency leaves it by half. A size alone lies
 * between two levels. DRAM is the last entry.
 */
export function cacheLevels(points: readonly ChasePoint[], dramNs: number): CacheLevel[] {
  const plateaus: { bytes: number; ns: number; sizes: number }[] = [];
  for (const { bytes, nearNs } of points) {
    if (nearNs >= DRAM_LIKE * dramNs) break;
    const last = plateaus.at(-1);
    if (last && nearNs < NEXT_LEVEL * last.ns) {
      last.bytes = bytes;
      last.sizes++;
    } else plateaus.push({ bytes, ns: nearNs, sizes: 1 });
  }
  const levels = plateaus.filter(({ sizes }) => sizes > 1);
  return [
    ...levels.map(({ bytes, ns }, i) => ({ name: `L${i + 1}`, bytes, ns })),
    { name: "DRAM", bytes: 0, ns: dramNs },
  ];
}

/** Effective last-level cache: the largest buffer up to which every near chase is clearly faster than DRAM. */
export function effectiveCache(points: readonly ChasePoint[], dramNs: number): number {
  const beyond = points.findIndex(({ nearNs }) => nearNs >= DRAM_LIKE * dramNs);
  return points[(beyond < 0 ? points.length : beyond) - 1]?.bytes ?? 0;
}

/**
 * Rule: a neighbour only ever lengthens a latency, so one that is 5 % over that of a heavier load is dropped, and smaller excess is
 * lowered to it. Of points whose bandwidths are within 2 % the first one counts. What is kept rises in bandwidth and does not fall in latency.
 */
export function monotoneCurve(raw: readonly Omit<LoadedPoint, "kept">[]): LoadedPoint[] {
  const sorted = [...raw].sort((a, b) => a.gbps - b.gbps);
  let lastGbps = 0;
  return sorted.map((point, i) => {
    const least = Math.min(...sorted.slice(i).map(({ ns }) => ns));
    const kept = point.gbps > lastGbps * DISTINCT && point.ns <= least * DISTURBED;
    if (!kept) return { ...point, kept };
    lastGbps = point.gbps;
    return { ...point, ns: least, kept };
  });
}

const added = (points: readonly LoadedPoint[], idleNs: number): CurvePoint[] =>
  points.filter(({ kept }) => kept).map(({ gbps, ns }) => ({ bandwidthGBps: gbps, addedNs: Math.max(0, ns - idleNs) }));

/** Least-squares parameter a of a v / (1 - v), v = bandwidth / (1.2 peak), over all points. */
export function fitQueueNs(points: readonly CurvePoint[], peakGBps: number): number {
  const waits = points.map(({ bandwidthGBps }) => {
    const v = Math.min(0.99, bandwidthGBps / (HEADROOM * peakGBps));
    return v / (1 - v);
  });
  const square = waits.reduce((sum, w) => sum + w * w, 0);
  return square > 0 ? waits.reduce((sum, w, i) => sum + w * points[i].addedNs, 0) / square : 0;
}

/**
 * The profile's curve and queue over the lightest load's latency. The curve is empty where the load could not come near the peak; the queue is
 * 0 where it stayed far below.
 */
export function loadedCurve(points: readonly LoadedPoint[], peakGBps: number) {
  const idleNs = points.find(({ kept }) => kept)?.ns ?? 0;
  const all = added(points, idleNs);
  // Far below the peak the fit would make a long queue out of a nanosecond of noise.
  const loaded = all.filter(({ bandwidthGBps }) => bandwidthGBps >= QUEUE_REACH * peakGBps);
  const queueNs = fitQueueNs(loaded, peakGBps);
  const last = all.at(-1);
  const curve = last && last.bandwidthGBps >= CURVE_REACH * peakGBps ? all : [];
  return { curve, queueNs, reached: loaded.length > 0 };
}

/** Latency at a bandwidth by the queue: what lines in flight are multiplied with. */
export function loadedNs(idleNs: number, queueNs: number, gbps: number, peakGBps: number): number {
  const v = Math.min(0.99, gbps / (HEADROOM * peakGBps));
  return idleNs + (queueNs * v) / (1 - v);
}

/** Little's law for k chains that take `stepNs` a step together. */
export function chainPoint(
  chains: number,
  stepNs: number,
  load: { idleNs: number; queueNs: number; peakGBps: number },
): ChainPoint {
  const gbps = (chains * LINE_BYTES) / stepNs;
  const latencyNs = loadedNs(load.idleNs, load.queueNs, gbps, load.peakGBps);
  return { chains, stepNs, gbps, linesInFlight: (gbps * latencyNs) / LINE_BYTES };
}

/**
 * Bandwidth of one core from memories further away: lines in flight / latency where the local reads waited for memory. Where
 * the core was the limit, that is only the low end; it cannot be faster than from its cache, the high end.
 */
export function farBandwidth(
  lines: number,
  latencyNs: number,
  cacheGBps: number,
  memoryBound: boolean,
  adders: readonly number[],
): FarBandwidthPoint[] {
  return adders.map((adderNs) => {
    const lowGBps = (lines * LINE_BYTES) / (latencyNs + adderNs);
    return { adderNs, lowGBps, highGBps: memoryBound ? lowGBps : Math.max(lowGBps, cacheGBps) };
  });
}
