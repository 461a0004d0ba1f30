// The figures that llama.cpp's perplexity tool gives of a model beside a base, from the figures of each position.
// Definitions: tools/perplexity/perplexity.cpp of llama.cpp.

import type { Estimate, KldRow, KldSummary } from "../core/kld.js";

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function estimate(values: readonly number[]): Estimate {
  const count = values.length;
  const value = sum(values) / count;
  const square = sum(values.map((one) => one * one)) / count;
  return { value, error: count > 1 ? Math.sqrt(Math.max(0, square - value * value) / (count - 1)) : 0 };
}

/** Linear between the two nearest ranks, as llama.cpp's `percentile`. */
function percentile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return (sorted[low] ?? 0) + (at - low) * ((sorted[high] ?? 0) - (sorted[low] ?? 0));
}

function percentiles(values: readonly number[], wanted: readonly number[]): Readonly<Record<string, number>> {
  const sorted = [...values].sort((a, b) => a - b);
  return Object.fromEntries(wanted.map((percent) => [String(percent), percentile(sorted, percent / 100)]));
}

/** @param rows at least one position */
export function summarizeKld(rows: readonly KldRow[]): KldSummary {
  const count = rows.length;
  const model = estimate(rows.map(({ nllModel }) => nllModel));
  const base = estimate(rows.map(({ nllBase }) => nllBase));
  const change = estimate(rows.map(({ nllModel, nllBase }) => nllModel - nllBase));
  const kls = rows.map(({ kl }) => kl);
  const deltas = rows.map(({ pModel, pBase }) => pModel - pBase);
  const squares = estimate(deltas.map((delta) => delta * delta));
  const rms = Math.sqrt(squares.value);
  const same = rows.filter((row) => row.same).length / count;
  const exponential = ({ value, error }: Estimate) => ({ value: Math.exp(value), error: Math.exp(value) * error });
  return {
    tokens: count,
    perplexity: exponential(model),
    basePerplexity: exponential(base),
    perplexityRatio: exponential(change),
    kl: estimate(kls),
    klPercentiles: percentiles(kls, [100, 99.9, 99, 90, 50, 10, 5, 1, 0]),
    deltaP: estimate(deltas),
    deltaPercentiles: percentiles(deltas, [100, 99.9, 99, 95, 90, 75, 50, 25, 10, 5, 1, 0.1, 0]),
    rmsDeltaP: { value: rms, error: rms > 0 ? squares.error / (2 * rms) : 0 },
    sameTop: { value: same, error: count > 1 ? Math.sqrt((same * (1 - same)) / (count - 1)) : 0 },
  };
}
