// Interleaved samples: every round times each arm once, in turn, so that a slow second hits all arms alike, and ratios are
// taken inside a round.

/** One thing to time: does its work on the next piece of memory and gives ns and how much it did. */
export interface Arm {
  readonly name: string;
  run(): { readonly ns: number; readonly amount: number };
}

/** Amount per ns of each arm, [arm][round]. */
export function interleave(arms: readonly Arm[], rounds: number, warmups: number): number[][] {
  const rates = arms.map((): number[] => []);
  for (let round = -warmups; round < rounds; round++) {
    arms.forEach((arm, i) => {
      const { ns, amount } = arm.run();
      if (round >= 0) rates[i].push(amount / ns);
    });
  }
  return rates;
}

export interface Middle {
  readonly median: number;
  /** Distribution-free 95 % interval of the median (order statistics of the binomial). */
  readonly low: number;
  readonly high: number;
}

export function middle(values: readonly number[]): Middle {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const half = Math.floor((n - 1.96 * Math.sqrt(n)) / 2);
  const median = (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2;
  return { median, low: sorted[Math.max(0, half)], high: sorted[Math.min(n - 1, n - 1 - half)] };
}

/** Ratio of two arms round by round. */
export function ratio(over: readonly number[], under: readonly number[]): Middle {
  return middle(over.map((value, i) => value / under[i]));
}

/** The rate that the best tenth of the rounds reach: what a machine shared with others gives in its quiet moments. */
export function bestDecile(values: readonly number[]): number {
  return [...values].sort((a, b) => b - a)[Math.floor(values.length / 10)];
}

export const show = ({ median, low, high }: Middle, digits = 2): string =>
  `${median.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
