// A model beside a base: the figures that llama.cpp's perplexity tool prints.

import type { Estimate, KldSummary } from "../core/kld.js";
import { digits } from "./format.js";
import { left, right, type Section } from "./section.js";

const withError = ({ value, error }: Estimate, factor = 1) => `${small(value * factor)} ± ${small(error * factor)}`;

/** Six places where three digits would hide what matters. */
function small(value: number): string {
  return Math.abs(value) >= 1 ? digits(value) : value.toFixed(6);
}

/** @param title what is compared with what */
export function kldSections(title: string, summary: KldSummary): Section[] {
  const rows = [
    ["perplexity", withError(summary.perplexity)],
    ["perplexity of the base", withError(summary.basePerplexity)],
    ["ratio of both", withError(summary.perplexityRatio)],
    ["KL divergence (nats)", withError(summary.kl)],
    ["mean Δp (%)", withError(summary.deltaP, 100)],
    ["RMS Δp (%)", withError(summary.rmsDeltaP, 100)],
    ["same top token (%)", withError(summary.sameTop, 100)],
  ];
  const spread = Object.keys(summary.deltaPercentiles)
    .map(Number)
    .sort((a, b) => b - a)
    .map((percent) => {
      const kl = summary.klPercentiles[percent];
      const delta = summary.deltaPercentiles[percent] ?? 0;
      return [percentName(percent), kl === undefined ? "–" : small(kl), small(delta * 100)];
    });
  const notes = [
    `${summary.tokens} positions; definitions as in llama.cpp's perplexity tool; ± is one standard error.`,
  ];
  return [
    { title, columns: [left("figure"), right("value")], rows, notes },
    {
      title: "Spread over positions",
      columns: [left("percentile"), right("KL (nats)"), right("Δp (%)")],
      rows: spread,
      notes: [],
    },
  ];
}

function percentName(percent: number): string {
  if (percent === 100) return "maximum";
  if (percent === 0) return "minimum";
  return percent === 50 ? "median" : String(percent);
}
