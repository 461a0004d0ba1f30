// Compares two recorded runs case by case: what is slower, what is faster, and what cannot be told.

import { median } from "simple-statistics";
import type { ComparedCase, Comparison, Verdict } from "../core/comparison.js";
import type { RecordedCase, RecordedRun } from "../core/recorded.js";
import { permutationP } from "./permutation.js";

/** Fewer samples than these on either side tell nothing. */
export const LEAST_SAMPLES = 9;
/** A difference counts when chance gives it less often than this... */
export const SIGNIFICANCE = 0.05;
/** ...and when it is at least this large. */
export const LEAST_EFFECT = 0.05;

const keyOf = ({ model, weights, activations, test, target }: RecordedCase) =>
  [model, weights, activations, test, target].join(" ");

function verdictOf(timeRatio: number, p: number | null): Verdict {
  if (p === null) return "too few to tell";
  if (p >= SIGNIFICANCE || Math.max(timeRatio, 1 / timeRatio) < 1 + LEAST_EFFECT) return "same";
  return timeRatio > 1 ? "slower" : "faster";
}

function compareCase(before: RecordedCase, after: RecordedCase): ComparedCase {
  const { model, weights, activations, test, target, tokens, rate } = after;
  const [beforeNs, afterNs] = [median([...before.samplesNs]), median([...after.samplesNs])];
  const enough = Math.min(before.samplesNs.length, after.samplesNs.length) >= LEAST_SAMPLES;
  const p = enough ? permutationP(before.samplesNs, after.samplesNs) : null;
  const timeRatio = afterNs / beforeNs;
  return {
    ...{ model, weights, activations, test, target, tokens, rate, beforeNs, afterNs, timeRatio, p },
    beforeSamples: before.samplesNs.length,
    afterSamples: after.samplesNs.length,
    verdict: verdictOf(timeRatio, p),
  };
}

function warningsOf(before: RecordedRun, after: RecordedRun): string[] {
  const names = [...new Set([...Object.keys(before.environment), ...Object.keys(after.environment)])];
  const differing = names
    .filter((name) => before.environment[name] !== after.environment[name])
    .map(
      (name) =>
        `${name} differs: ${before.environment[name] ?? "unknown"}, then ${after.environment[name] ?? "unknown"}`,
    );
  const stopped = [before, after].filter(({ interrupted }) => interrupted);
  return [...differing, ...stopped.map(({ name }) => `${name} was stopped before its end`)];
}

/** Keys of the scenario that both runs have but not with one value, each with both. */
export function scenarioDifferences(before: RecordedRun, after: RecordedRun): string[] {
  return Object.keys(before.scenario)
    .filter((key) => key in after.scenario && before.scenario[key] !== after.scenario[key])
    .map((key) => `${key} (${before.scenario[key]}; ${after.scenario[key]})`);
}

/** The comparison of every case that both runs have; none where they share no case. */
export function compareRuns(before: RecordedRun, after: RecordedRun): Comparison | null {
  const earlier = new Map(before.cases.map((entry) => [keyOf(entry), entry]));
  const later = new Map(after.cases.map((entry) => [keyOf(entry), entry]));
  const cases = [...later].flatMap(([key, entry]) => {
    const found = earlier.get(key);
    return found ? compareCase(found, entry) : [];
  });
  if (cases.length === 0) return null;
  const only = (run: RecordedRun, keys: Iterable<string>, other: ReadonlyMap<string, unknown>) =>
    [...keys].filter((key) => !other.has(key)).map((key) => `${key}: only in ${run.name}`);
  const logs = cases.map(({ timeRatio }) => Math.log(timeRatio));
  return {
    schemaVersion: 1,
    before: before.name,
    after: after.name,
    cases,
    meanTimeRatio: Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length),
    unmatched: [...only(before, earlier.keys(), later), ...only(after, later.keys(), earlier)],
    warnings: warningsOf(before, after),
  };
}
