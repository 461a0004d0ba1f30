// Two recorded runs beside each other, as plain JSON.

/** `same`: under 5 % apart; `not told apart`: further, but chance may well have done it. */
export type Verdict = "faster" | "slower" | "same" | "not told apart" | "too few to tell";

export interface ComparedCase {
  readonly model: string;
  readonly weights: string;
  readonly activations: string;
  readonly test: string;
  readonly target: string;
  readonly tokens: number;
  readonly rate: boolean;
  readonly beforeNs: number;
  readonly afterNs: number;
  readonly beforeSamples: number;
  readonly afterSamples: number;
  /** Time after over time before, of the medians: over 1 is slower. */
  readonly timeRatio: number;
  /** Two-sided, of a permutation test; null where the samples are too few. */
  readonly p: number | null;
  readonly verdict: Verdict;
}

export interface Comparison {
  readonly schemaVersion: 1;
  readonly before: string;
  readonly after: string;
  readonly cases: readonly ComparedCase[];
  /** Geometric mean of the time ratios; null without cases. */
  readonly meanTimeRatio: number | null;
  /** Cases that ran before and failed after, with the reason. */
  readonly failed: readonly string[];
  /** Cases that only one of the runs has measured, those of `failed` aside. */
  readonly unmatched: readonly string[];
  readonly warnings: readonly string[];
}
