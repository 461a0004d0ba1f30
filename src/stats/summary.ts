// What a handful of timings say: median and MAD beside mean and deviation, and an interval of the median.
// Order statistics only, so that one slow round on a shared machine moves nothing.

import { mean, median, medianAbsoluteDeviation, quantile, sampleStandardDeviation } from "simple-statistics";

export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Sample standard deviation; 0 for one sample. */
  readonly deviation: number;
  readonly median: number;
  /** Median of absolute deviations from the median, not scaled. */
  readonly mad: number;
  /** Interval that holds the median with at least the asked confidence; null where the samples are too few. */
  readonly interval: readonly [number, number] | null;
}

/** Summary of at least one sample; throws RangeError on none. */
export function summarize(samples: readonly number[], confidence = 0.95): Summary {
  if (samples.length === 0) throw new RangeError("a summary needs at least one sample");
  const list = [...samples];
  return {
    count: list.length,
    min: quantile(list, 0),
    max: quantile(list, 1),
    mean: mean(list),
    deviation: list.length > 1 ? sampleStandardDeviation(list) : 0,
    median: median(list),
    mad: medianAbsoluteDeviation(list),
    interval: medianInterval(list, confidence),
  };
}

/**
 * Distribution-free interval of the median from order statistics (Conover, Practical Nonparametric Statistics, 3.2):
 * [x(k), x(n+1-k)] with the largest k for which 2 P(Binomial(n, 1/2) < k) <= 1 - confidence.
 * Null when even the whole range is not wide enough (fewer than 6 samples at 95 %).
 */
export function medianInterval(samples: readonly number[], confidence: number): readonly [number, number] | null {
  const sorted = [...samples].sort((a, b) => a - b);
  const n = sorted.length;
  let term = 0.5 ** n;
  let below = term;
  let k = 0;
  while (2 * below <= 1 - confidence && k < n / 2) {
    k++;
    term *= (n - k + 1) / k;
    below += term;
  }
  if (k === 0) return null;
  return [sorted[k - 1] as number, sorted[n - k] as number];
}
