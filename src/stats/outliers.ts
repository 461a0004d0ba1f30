// Outliers by distance from the median in units of the MAD, the robust z-score of hyperfine.

import { median, medianAbsoluteDeviation } from "simple-statistics";

/** |x - median| / MAD beyond which a sample is an outlier: ten standard deviations of a normal (1.4826 MAD each). */
const OUTLIER_SCORE = 14.826;

/** Indices of the outliers; none where the MAD is 0 or there are fewer than three samples. */
export function outliers(samples: readonly number[]): number[] {
  if (samples.length < 3) return [];
  const centre = median([...samples]);
  const mad = medianAbsoluteDeviation([...samples]);
  if (mad === 0) return [];
  return samples.flatMap((sample, index) => (Math.abs(sample - centre) / mad > OUTLIER_SCORE ? [index] : []));
}
