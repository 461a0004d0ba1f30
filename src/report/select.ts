// Questions that several reports ask of a result: its measured cases by model, its fastest target, its speed.

import type { BenchResult, CaseResult } from "../core/result.js";
import { parseTest } from "../core/scenario.js";
import { targetName } from "../core/target.js";
import type { Figure } from "../core/units.js";

export type Measured = Extract<CaseResult, { state: "measured" }>;

/** Names in the order in which they first appear. */
export function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

export function measuredCases(result: BenchResult): Measured[] {
  return result.cases.filter((entry): entry is Measured => entry.state === "measured");
}

export function modelNames(result: BenchResult): string[] {
  return distinct([...result.cases, ...result.quality].map(({ model }) => model));
}

/** A model's name as titles show it. */
export function modelTitle(result: BenchResult, model: string): string {
  const synthetic = result.cases.some((entry) => entry.model === model && entry.synthetic);
  return synthetic ? `${model} (synthetic weights: speed and memory only)` : model;
}

/** Tests whose result is a rate; the others are a time. */
export function isRate(test: string): boolean {
  const spec = parseTest(test);
  return spec?.kind === "prefill" || spec?.kind === "decode";
}

/** A time of a whole test as the test is reported: tokens/s for pp and tg, time for the rest. */
export function asReported(test: string, tokens: number, time: Figure): Figure {
  if (!isRate(test)) return time;
  return { value: tokens / (time.value / 1e9), unit: "t/s", source: time.source };
}

/** The target with the shortest decode (else the shortest first test) of a model; null when nothing was measured. */
export function fastestTarget(result: BenchResult, model: string): string | null {
  const cases = measuredCases(result).filter((entry) => entry.model === model);
  const decode = cases.filter(({ test }) => parseTest(test)?.kind === "decode");
  const first = cases[0];
  const ranked = (decode.length > 0 ? decode : cases.filter(({ test }) => test === first?.test))
    .map((entry) => ({ name: targetName(entry.target), ns: entry.figures.medianNs?.value ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => a.ns - b.ns);
  return ranked[0]?.name ?? null;
}
