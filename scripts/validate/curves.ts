// Leaves one loaded-latency curve out, predicts it from the rest, and tells how wrong that is: by what was left out, apart
// for loads under and over 0.7 of the curve's own peak, beside the predictor "always the idle latency".

import { pathIdleNs, reduceCurve, servedPoints } from "../../src/delay/curves.js";
import type { RawCurve, RawPoint } from "../../src/delay/mlc.js";
import type { EpochExports } from "../../src/delay/solver.js";
import { type Fitted, fromFamily, fromPaths, type Prediction } from "./predict.js";

/** Points nearer to the peak than this are full: their latency is set by the requests in flight, not by the load. */
const FULL = 0.98;
const HEAVY = 0.7;

export interface Errors {
  readonly light: readonly number[];
  readonly heavy: readonly number[];
}

export interface Scored {
  readonly split: string;
  readonly curve: string;
  readonly errors: Errors;
  /** The same with the idle latency as the prediction. */
  readonly idleErrors: Errors;
  /** null where the peak is not predicted from the others: few threads reach the core's limit, not the device's. */
  readonly peakError: number | null;
  /** Points at the peak that are not scored. */
  readonly full: number;
}

export const curveName = ({ path, threads, traffic, pattern }: RawCurve) => `${path} ${threads}t ${traffic} ${pattern}`;

function score(
  split: string,
  { raw, reduced }: Fitted,
  points: readonly RawPoint[],
  predicted: Prediction,
  peakGiven: boolean,
): Scored {
  const load = ({ bandwidthGBps }: RawPoint) => bandwidthGBps / reduced.peakGBps;
  const counted = points.filter((point) => load(point) <= FULL);
  const light = counted.filter((point) => load(point) < HEAVY);
  const heavy = counted.filter((point) => load(point) >= HEAVY);
  const error = (point: RawPoint) => Math.abs(predicted.latencyNs(point.bandwidthGBps) / point.latencyNs - 1);
  const idleError = (point: RawPoint) => Math.abs(predicted.idleNs / point.latencyNs - 1);
  return {
    split,
    curve: curveName(raw),
    errors: { light: light.map(error), heavy: heavy.map(error) },
    idleErrors: { light: light.map(idleError), heavy: heavy.map(idleError) },
    peakError: peakGiven ? null : Math.abs(predicted.peakGBps / reduced.peakGBps - 1),
    full: points.length - counted.length,
  };
}

/** Curves that survive the rules, with what was dropped. */
export function fitAll(raws: readonly RawCurve[]): {
  fitted: Fitted[];
  idleOf: (raw: RawCurve) => number;
  rejected: RawCurve[];
} {
  const idleOf = (raw: RawCurve) => pathIdleNs(raws.filter(({ path }) => path === raw.path));
  const all = raws.map((raw) => ({ raw, reduced: reduceCurve(raw, idleOf(raw)) }));
  const fitted = all.flatMap(({ raw, reduced }) => (reduced ? [{ raw, reduced }] : []));
  return { fitted, idleOf, rejected: all.flatMap(({ raw, reduced }) => (reduced ? [] : [raw])) };
}

/** The share of writes lies between two mixes that are known. */
const isInside = (known: readonly Fitted[], share: number) =>
  known.some(({ raw }) => raw.writeShare < share) && known.some(({ raw }) => raw.writeShare > share);

/** Every curve left out in every way in which others are left. */
export function leaveOut(epoch: EpochExports, raws: readonly RawCurve[]): Scored[] {
  const { fitted, idleOf } = fitAll(raws);
  return fitted.flatMap((one) => {
    const { raw } = one;
    const points = servedPoints(raw, idleOf(raw));
    const same = (...keys: (keyof RawCurve)[]) =>
      fitted.filter((other) => other !== one && keys.every((key) => other.raw[key] === raw[key]));
    const mixes = same("path", "threads", "pattern");
    const counts = same("path", "traffic", "pattern").filter((other) => other.raw.threads !== raw.threads);
    const most = (of: RawCurve) =>
      Math.max(...fitted.filter((other) => other.raw.path === of.path).map((other) => Number(other.raw.threads) || 0));
    // few threads do not reach the device's own peak: only the curve of the most threads is the path's
    const isFull = ({ raw: of }: Fitted) => (Number(of.threads) || 0) === most(of);
    const paths = isFull(one) ? same("traffic").filter((other) => other.raw.path !== raw.path && isFull(other)) : [];
    const scored: Scored[] = [];
    if (mixes.length > 0) {
      const split = isInside(mixes, raw.writeShare) ? "mix between known ones" : "mix beyond known ones";
      scored.push(score(split, one, points, fromFamily(epoch, mixes, raw.writeShare), !isFull(one)));
    }
    if (counts.length > 0) {
      const more = counts.some((other) => Number(other.raw.threads) > Number(raw.threads));
      const split = more ? "fewer threads than known" : "more threads than known";
      scored.push(score(split, one, points, fromFamily(epoch, counts, raw.writeShare), true));
    }
    if (paths.length > 0) {
      scored.push(
        score("path (idle and peak given)", one, points, fromPaths(epoch, paths, one.reduced, raw.writeShare), true),
      );
    }
    const patterns = same("path", "threads", "traffic").filter((other) => other.raw.pattern !== raw.pattern);
    if (patterns.length > 0) {
      const predicted = fromFamily(epoch, patterns, raw.writeShare);
      scored.push(score("pattern (random from sequential and back)", one, points, predicted, true));
    }
    const itself = fromFamily(epoch, [one], raw.writeShare);
    scored.push(score("nothing (the reduction itself)", one, points, itself, false));
    return scored;
  });
}
