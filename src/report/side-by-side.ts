// Many runs side by side: one column a run, one row a case. Machines whose results were brought together are compared here.

import type { RecordedCase, RecordedRun } from "../core/recorded.js";
import { ABSENT, digits, percentText, timeText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";
import { distinct } from "./select.js";

const caseName = ({ model, weights, activations, test, target }: RecordedCase) =>
  [model, target, weights, activations, test] as const;

/** Middle sample; the mean of the two where their number is even. */
function middle(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(at)] ?? 0) + (sorted[Math.ceil(at)] ?? 0)) / 2;
}

function cell(entry: RecordedCase | undefined): string {
  if (!entry) return ABSENT;
  const ns = middle(entry.samplesNs);
  const speed = entry.rate ? `${digits(entry.tokens / (ns / 1e9))} t/s` : timeText(ns);
  return entry.readShare === null ? speed : `${speed} (${percentText(entry.readShare)})`;
}

/** Speeds of all runs, a column each. */
export function speedsSideBySide(runs: readonly RecordedRun[]): Section {
  const names = distinct(runs.flatMap(({ cases }) => cases.map((entry) => caseName(entry).join("\n"))));
  const tables = runs.map(({ cases }) => new Map(cases.map((entry) => [caseName(entry).join("\n"), entry])));
  const shares = runs.some(({ cases }) => cases.some(({ readShare }) => readShare !== null));
  return withoutDefaults({
    title: "Speed, measured",
    columns: [
      left("model"),
      left("target"),
      left("weights"),
      left("activations", ABSENT),
      left("test"),
      ...runs.map(({ name }) => right(name)),
    ],
    rows: names.map((name) => [...name.split("\n"), ...tables.map((table) => cell(table.get(name)))]),
    notes: shares ? ["In brackets: share of the best plain read of that machine in that run."] : [],
  });
}

/** What each run's machine was, a column each. */
export function machinesSideBySide(runs: readonly RecordedRun[]): Section {
  const keys = distinct(runs.flatMap(({ environment }) => Object.keys(environment)));
  return {
    title: "Machines",
    columns: [left(""), ...runs.map(({ name }) => left(name))],
    rows: [
      ["measured by", ...runs.map(({ tool }) => tool)],
      ...keys.map((key) => [key, ...runs.map(({ environment }) => environment[key] ?? ABSENT)]),
    ],
    notes: [],
  };
}
