// From raw measurements to curves that are functions. Rules, in order: a latency far under the idle latency of its path hit a
// cache; in the order of rising load (falling injected delay) a point counts only if its bandwidth exceeds all before it (raw
// curves bend back once the memory is full); a latency above one at more bandwidth is lowered to that.

import type { CurvePoint } from "../core/host.js";
import type { RawCurve, RawPoint } from "./mlc.js";

/** Latencies under this part of a path's idle latency were not served by its memory. */
const CACHED = 0.8;
/** A curve of fewer points says nothing about load. */
const LEAST_POINTS = 3;
/** Widest step between points, of the peak; wider ones are filled along a queue. */
const WIDEST_GAP = 0.1;
/** Capacity over peak of the queue that fills gaps. */
const GAP_HEADROOM = 1.05;
const MOST_POINTS = 32;

export interface ReducedCurve {
  readonly idleNs: number;
  readonly peakGBps: number;
  readonly points: readonly CurvePoint[];
  readonly dropped: readonly { readonly point: RawPoint; readonly why: "cached" | "bends back" | "not a figure" }[];
  /** Points whose latency was lowered. */
  readonly lowered: number;
  /** Points put into gaps. */
  readonly filled: number;
}

const middle = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const isFigure = ({ injectDelay, latencyNs, bandwidthGBps }: RawPoint) =>
  injectDelay >= 0 && latencyNs > 0 && bandwidthGBps > 0 && latencyNs < 1e6 && bandwidthGBps < 1e5;

/** Idle latency of one path: the median over its curves of the latency at the lightest load. */
export function pathIdleNs(curves: readonly RawCurve[]): number {
  const lightest = curves.map(({ points }) =>
    points.filter(isFigure).reduce((best, point) => (point.injectDelay > best.injectDelay ? point : best)),
  );
  return middle(lightest.map(({ latencyNs }) => latencyNs));
}

/** Points that the path's memory can have served. */
export function servedPoints(curve: RawCurve, idleNs: number): readonly RawPoint[] {
  const kept = curve.points.filter((point) => isFigure(point) && point.latencyNs >= CACHED * idleNs);
  return kept.length * 2 >= curve.points.length ? kept : [];
}

/** Fills wide steps along a + b q(u), q = u / (1.05 - u): between two points latency bends as a queue's, not as a line's. */
function fillGaps(points: readonly CurvePoint[], peak: number): CurvePoint[] {
  const queue = (x: number) => x / (GAP_HEADROOM * peak - x);
  return points.flatMap((point, i) => {
    const next = points[i + 1];
    const gap = next ? next.bandwidthGBps - point.bandwidthGBps : 0;
    const parts = Math.ceil(gap / (WIDEST_GAP * peak));
    if (!next || parts < 2) return [point];
    const between = Array.from({ length: parts - 1 }, (_, k) => {
      const bandwidthGBps = point.bandwidthGBps + (gap * (k + 1)) / parts;
      const from = queue(point.bandwidthGBps);
      const part = (queue(bandwidthGBps) - from) / (queue(next.bandwidthGBps) - from);
      return { bandwidthGBps, addedNs: point.addedNs + part * (next.addedNs - point.addedNs) };
    });
    return [point, ...between];
  });
}

/** Reduces a curve of a path with that idle latency; null where too little of it is left. */
export function reduceCurve(curve: RawCurve, idleNs: number): ReducedCurve | null {
  const served = servedPoints(curve, idleNs);
  const rising: RawPoint[] = [];
  const bent: RawPoint[] = [];
  for (const point of [...served].sort((a, b) => b.injectDelay - a.injectDelay)) {
    if (point.bandwidthGBps > (rising.at(-1)?.bandwidthGBps ?? 0)) rising.push(point);
    else bent.push(point);
  }
  const last = rising.at(-1);
  if (!last || rising.length < LEAST_POINTS) return null;
  const latencies = rising.map((_, i) => Math.min(...rising.slice(i).map(({ latencyNs }) => latencyNs)));
  const own = latencies[0] as number;
  const points = rising.map(({ bandwidthGBps }, i) => ({ bandwidthGBps, addedNs: (latencies[i] as number) - own }));
  const filled = fillGaps(points, last.bandwidthGBps).slice(-MOST_POINTS);
  const missing = curve.points.filter((point) => !served.includes(point));
  return {
    idleNs: own,
    peakGBps: last.bandwidthGBps,
    points: filled,
    dropped: [
      ...missing.map((point) => ({ point, why: isFigure(point) ? ("cached" as const) : ("not a figure" as const) })),
      ...bent.map((point) => ({ point, why: "bends back" as const })),
    ],
    lowered: rising.filter(({ latencyNs }, i) => latencyNs > (latencies[i] as number)).length,
    filled: filled.length - points.length,
  };
}

/** The one parameter a of a v / (1 - v), v = u / 1.2, that fits a reduced curve: the median over its points. */
export function fitQueueNs({ points, peakGBps }: ReducedCurve): number {
  const loaded = points.filter(({ bandwidthGBps }) => bandwidthGBps > 0.1 * peakGBps);
  if (loaded.length === 0) return 0;
  return middle(
    loaded.map(({ bandwidthGBps, addedNs }) => {
      const v = bandwidthGBps / peakGBps / 1.2;
      return (addedNs * (1 - v)) / v;
    }),
  );
}
