// YaRN (Peng et al. 2023): high frequencies stay, low ones are divided by `factor`, between them it fades; what was turned
// is multiplied by 0.1 ln(factor) + 1. As transformers' `_compute_yarn_parameters` and llama.cpp's `rope_yarn` have it.

export interface YarnSettings {
  readonly theta: number;
  readonly headDim: number;
  readonly factor: number;
  /** Positions that the model was trained with before scaling. */
  readonly context: number;
  /** Turns over that context from which on a frequency stays, and below which it is divided. */
  readonly betaFast: number;
  readonly betaSlow: number;
  /** Whether the ends of the ramp are whole pairs. */
  readonly truncate: boolean;
}

/** Divisors of the frequencies [headDim / 2]. */
export function yarnFactors({ theta, headDim, factor, context, betaFast, betaSlow, truncate }: YarnSettings): number[] {
  const pairOf = (turns: number) => (headDim * Math.log(context / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [from, to] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(from) : from, 0);
  const high = Math.min(truncate ? Math.ceil(to) : to, headDim - 1);
  const width = high === low ? 0.001 : high - low;
  return Array.from({ length: headDim / 2 }, (_, i) => {
    const ramp = Math.min(Math.max((i - low) / width, 0), 1);
    return 1 / (ramp / factor + (1 - ramp));
  });
}

/** How much attention sharpens with the scale. */
export const yarnGain = (factor: number, slope = 1): number => (factor <= 1 ? 1 : 0.1 * slope * Math.log(factor) + 1);
