// Learning rate over a stage: linear warm-up, then a cosine to zero (Loshchilov & Hutter 2017).

export interface Schedule {
  readonly peakRate: number;
  readonly warmupSteps: number;
  readonly steps: number;
}

/** @param step from 0 */
export function learningRate({ peakRate, warmupSteps, steps }: Schedule, step: number): number {
  if (step < warmupSteps) return (peakRate * (step + 1)) / warmupSteps;
  const share = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return 0.5 * peakRate * (1 + cosine(share));
}

/** cos(pi * share) for share in [0, 1] by its Taylor series, so that no engine's own cosine decides the bits of a run. */
function cosine(share: number): number {
  const isFar = share > 0.5;
  const x = Math.PI * (isFar ? 1 - share : share);
  let term = 1;
  let sum = 1;
  for (let n = 1; n <= 12; n++) {
    term *= (-x * x) / ((2 * n - 1) * (2 * n));
    sum += term;
  }
  return isFar ? -sum : sum;
}
