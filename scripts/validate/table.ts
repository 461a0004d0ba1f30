// The validation table: mean absolute percentage errors by what was left out.

import { left, right, type Section } from "../../src/report/section.js";
import type { Scored } from "./curves.js";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (values: readonly number[]) =>
  values.length === 0 ? "–" : `${(100 * mean(values)).toFixed(1)} % (${values.length})`;

function row(name: string, scored: readonly Scored[]): string[] {
  const light = scored.flatMap(({ errors }) => errors.light);
  const heavy = scored.flatMap(({ errors }) => errors.heavy);
  const idle = scored.flatMap(({ idleErrors }) => [...idleErrors.light, ...idleErrors.heavy]);
  const idleHeavy = scored.flatMap(({ idleErrors }) => idleErrors.heavy);
  const peaks = scored.flatMap(({ peakError }) => (peakError === null ? [] : [peakError]));
  const skill = (own: readonly number[], base: readonly number[]) =>
    base.length === 0 ? "–" : (1 - mean(own) / mean(base)).toFixed(2);
  const worst = scored
    .filter(({ errors }) => errors.light.length + errors.heavy.length > 0)
    .map((one) => ({ name: one.curve, error: mean([...one.errors.light, ...one.errors.heavy]) }))
    .sort((a, b) => b.error - a.error)[0];
  const all = [...light, ...heavy];
  return [
    name,
    String(scored.length),
    percent(light),
    percent(heavy),
    percent(idleHeavy),
    skill(all, idle),
    skill(heavy, idleHeavy),
    percent(peaks),
    worst ? `${(100 * worst.error).toFixed(0)} %: ${worst.name}` : "–",
  ];
}

/** One row for each way of leaving out, in the order of their first use, best first. */
export function validationSection(scored: readonly Scored[]): Section {
  const order = [
    "nothing (the reduction itself)",
    "pattern (random from sequential and back)",
    "mix between known ones",
    "mix beyond known ones",
    "fewer threads than known",
    "more threads than known",
    "path (idle and peak given)",
  ];
  const full = scored.filter(({ split }) => split === order[0]).reduce((sum, one) => sum + one.full, 0);
  return {
    title: "Loaded latency, leave one curve out",
    columns: [
      left("left out"),
      right("curves"),
      right("error < 0.7 of peak (points)"),
      right("error >= 0.7"),
      right("idle latency's error >= 0.7"),
      right("skill, all"),
      right("skill >= 0.7"),
      right("error of the device's peak"),
      left("worst curve"),
    ],
    rows: order
      .map((split) =>
        row(
          split,
          scored.filter((one) => one.split === split),
        ),
      )
      .filter((cells) => cells[1] !== "0"),
    notes: [
      "Errors are mean absolute percentage errors of latency. Skill = 1 - error / error of the idle latency.",
      `${full} points within 2 % of their curve's peak are not scored: there latency depends on the requests in flight alone.`,
    ],
  };
}
