// Interleaved samples: every round times each arm once, in turn, so that a slow second hits all arms alike, and ratios are
// taken inside a round. A sample during which the system took a thread of ours off its core tells of the other programs,
// not of ours: it is left out, and how many were kept is told.

/** One thing to time: does its work on the next piece of memory and gives ns and how much it did. */
export interface Arm {
  readonly name: string;
  run(): { readonly ns: number; readonly amount: number };
}

/** Amount per ns of each arm, [arm][round]; NaN where the sample was disturbed. */
export function interleave(arms: readonly Arm[], rounds: number, warmups: number): number[][] {
  const rates = arms.map((): number[] => []);
  for (let round = -warmups; round < rounds; round++) {
    arms.forEach((arm, i) => {
      const before = preemptions();
      const { ns, amount } = arm.run();
      if (round >= 0) rates[i].push(preemptions() === before ? amount / ns : Number.NaN);
    });
  }
  return rates;
}

const preemptions = (): number => process.resourceUsage().involuntaryContextSwitches;

export interface Middle {
  /** Samples that were not disturbed. */
  readonly count: number;
  readonly median: number;
  /** Distribution-free 95 % interval of the median (order statistics of the binomial). */
  readonly low: number;
  readonly high: number;
}

export function middle(values: readonly number[]): Middle {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const n = sorted.length;
  if (n === 0) return { count: 0, median: Number.NaN, low: Number.NaN, high: Number.NaN };
  const half = Math.floor((n - 1.96 * Math.sqrt(n)) / 2);
  const median = (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2;
  return { count: n, median, low: sorted[Math.max(0, half)], high: sorted[Math.min(n - 1, n - 1 - half)] };
}

/** Ratio of two arms over the rounds in which neither was disturbed. */
export function ratio(over: readonly number[], under: readonly number[]): Middle {
  return middle(over.map((value, i) => value / under[i]));
}

export const show = ({ median, low, high }: Middle, digits = 2): string =>
  Number.isNaN(median) ? "-" : `${median.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
