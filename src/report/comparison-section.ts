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

/** What to do where some cases have too few samples; null where none has. `least`: samples that a side needs. */
export function fewSamples({ cases }: Comparison, least: number): string | null {
  const few = cases.filter(({ verdict }) => verdict === "too few to tell").length;
  if (few === 0) return null;
  const which = few === cases.length ? "nothing can be told" : `nothing can be told of ${few} of ${cases.length} cases`;
  return `${which}: under ${least} samples on a side. Measure again with --rounds ${least} or more (llama-bench: -r ${least})`;
}

/** Named notes, the first of them. */
function some(words: readonly string[], what: string): string[] {
  const more = words.length - MOST_NAMED;
  return [...words.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more ${what}`] : [])];
}

/** `least`: samples that a side needs. */
export function comparisonSection(found: Comparison, least: number): Section {
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
  const mean = found.meanTimeRatio;
  const few = fewSamples(found, least);
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
      ...(mean === null ? [] : [`geometric mean of the times: ${change(mean)} over ${found.cases.length} cases`]),
      "slower and faster: at least 5 % apart and p under 0.05 of a permutation test of the medians; same: under 5 % apart; not told apart: further, but chance may well have done it (more rounds tell).",
      ...(few === null ? [] : [few]),
      ...some(found.failed, "that failed"),
      ...some(found.unmatched, "that only one of them has"),
    ],
  });
}
