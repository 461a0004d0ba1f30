// Two runs beside each other: one row a case.

import type { ComparedCase, Comparison } from "../core/comparison.js";
import { ABSENT, digits, timeText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";

const MOST_NAMED = 8;

function speed({ rate, tokens }: ComparedCase, ns: number): string {
  return rate ? `${digits(tokens / (ns / 1e9))} t/s` : timeText(ns);
}

/** +25.0 %: takes a quarter longer. */
function change(timeRatio: number): string {
  const percent = (timeRatio - 1) * 100;
  return `${percent < 0 ? "" : "+"}${percent.toFixed(1)} %`;
}

function chance(p: number | null): string {
  if (p === null) return ABSENT;
  return p < 0.001 ? "<0.001" : p.toFixed(3);
}

export function comparisonSection(found: Comparison): Section {
  const rows = found.cases.map((entry) => [
    entry.model,
    entry.target,
    entry.weights,
    entry.activations,
    entry.test,
    speed(entry, entry.beforeNs),
    speed(entry, entry.afterNs),
    change(entry.timeRatio),
    chance(entry.p),
    entry.verdict,
  ]);
  const only = found.unmatched.slice(0, MOST_NAMED);
  const more = found.unmatched.length - only.length;
  return withoutDefaults({
    title: `${found.before} before, ${found.after} after`,
    columns: [
      left("model"),
      left("target"),
      left("weights"),
      left("activations", ABSENT),
      left("test"),
      right("before"),
      right("after"),
      right("time"),
      right("p"),
      left("verdict"),
    ],
    rows,
    notes: [
      `geometric mean of the times: ${change(found.meanTimeRatio)} over ${found.cases.length} cases`,
      "slower and faster: p under 0.05 of a permutation test of the medians, and at least 5 % apart; under nine samples on a side nothing is told.",
      ...only,
      ...(more > 0 ? [`and ${more} more that only one of them has`] : []),
    ],
  });
}
