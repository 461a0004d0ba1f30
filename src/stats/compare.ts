// Compares two recorded runs case by case: what is slower, what is faster, and what cannot be told.

import { median } from "simple-statistics";
import type { ComparedCase, Comparison, Verdict } from "../core/comparison.js";
import type { CaseName, RecordedCase, RecordedRun } from "../core/recorded.js";
import { permutationP } from "./permutation.js";

/** Fewer samples than these on either side tell nothing. */
export const LEAST_SAMPLES = 9;
/** A difference counts when chance gives it less often than this... */
export const SIGNIFICANCE = 0.05;
/** ...and when it is at least this large. */
export const LEAST_EFFECT = 0.05;

const keyOf = ({ model, weights, activations, test, target }: CaseName) =>
  [model, weights, activations, test, target].join(" ");

function verdictOf(timeRatio: number, p: number | null): Verdict {
  if (p === null) return "too few to tell";
  if (Math.max(timeRatio, 1 / timeRatio) < 1 + LEAST_EFFECT) return "same";
  if (p >= SIGNIFICANCE) return "not told apart";
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

function lostWarnings(before: RecordedRun, after: RecordedRun, failed: number, lost: number): string[] {
  const cases = (count: number) => `${count} of the ${before.cases.length} cases of ${before.name}`;
  return [
    ...(failed > 0 ? [`${cases(failed)} failed in ${after.name}`] : []),
    ...(lost > failed ? [`${cases(lost - failed)} ${lost - failed === 1 ? "is" : "are"} not in ${after.name}`] : []),
  ];
}

/** Keys of the scenario that both runs have but not with one value, each with both. */
export function scenarioDifferences(before: RecordedRun, after: RecordedRun): string[] {
  return Object.keys(before.scenario)
    .filter((key) => key in after.scenario && before.scenario[key] !== after.scenario[key])
    .map((key) => `${key} (${before.scenario[key]}; ${after.scenario[key]})`);
}

interface Missing {
  readonly failed: boolean;
  readonly words: string;
}

/** Cases of `run` that `other` did not measure, with what it says of them. */
function missingFrom(other: RecordedRun, run: RecordedRun): Missing[] {
  const measured = new Set(other.cases.map(keyOf));
  const reasons = new Map(other.unmeasured.map((entry) => [keyOf(entry), entry]));
  const missing = run.cases.map(keyOf).filter((key) => !measured.has(key));
  return missing.map((key) => {
    const told = reasons.get(key);
    const words = told ? `${told.state} in ${other.name}: ${told.reason}` : `only in ${run.name}`;
    return { failed: told?.state === "failed", words: `${key}: ${words}` };
  });
}

/** The comparison of every case that both runs have; none where they share no case and none failed that ran before. */
export function compareRuns(before: RecordedRun, after: RecordedRun): Comparison | null {
  const earlier = new Map(before.cases.map((entry) => [keyOf(entry), entry]));
  const cases = after.cases.flatMap((entry) => {
    const found = earlier.get(keyOf(entry));
    return found ? compareCase(found, entry) : [];
  });
  const lost = missingFrom(after, before);
  const failed = lost.filter((entry) => entry.failed);
  if (cases.length + failed.length === 0) return null;
  const logs = cases.map(({ timeRatio }) => Math.log(timeRatio));
  const others = [...lost.filter((entry) => !entry.failed), ...missingFrom(before, after)];
  return {
    schemaVersion: 1,
    before: before.name,
    after: after.name,
    cases,
    meanTimeRatio: cases.length > 0 ? Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length) : null,
    failed: failed.map(({ words }) => words),
    unmatched: others.map(({ words }) => words),
    warnings: [...warningsOf(before, after), ...lostWarnings(before, after, failed.length, lost.length)],
  };
}
