// What was measured here: one row a target and format, one column a test.

import type { BenchResult } from "../core/result.js";
import { targetName } from "../core/target.js";
import { ABSENT, figureText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";
import { asReported, distinct, isRate, type Measured, measuredCases, modelTitle } from "./select.js";

function speedText(entry: Measured | undefined): string {
  const median = entry?.figures.medianNs;
  const mad = entry?.figures.madNs;
  if (!entry || !median) return ABSENT;
  const share = mad && median.value > 0 ? mad.value / median.value : 0;
  return `${figureText(asReported(entry.test, entry.tokens, median)).replace(" t/s", "")} ±${(share * 100).toFixed(share < 0.0995 ? 1 : 0)}%`;
}

/** The figure of the first of a row's tests that has it; decode tests come last, so they are asked first. */
function rowFigure(row: readonly Measured[], key: string): string {
  return figureText([...row].reverse().find(({ figures }) => figures[key])?.figures[key]);
}

/** Measured speed of one model. */
export function speedSection(result: BenchResult, model: string): Section {
  const cases = measuredCases(result).filter((entry) => entry.model === model);
  const tests = distinct(cases.map(({ test }) => test));
  const arms = distinct(cases.map((entry) => `${targetName(entry.target)}|${entry.quant}|${entry.activations}`));
  const rows = arms.map((arm) => {
    const [target = "", quant = "", activations = ""] = arm.split("|");
    const row = cases.filter(
      (entry) => targetName(entry.target) === target && entry.quant === quant && entry.activations === activations,
    );
    return [
      target,
      quant,
      activations,
      ...tests.map((test) => speedText(row.find((entry) => entry.test === test))),
      rowFigure(row, "weightGBps"),
      rowFigure(row, "readShare"),
      rowFigure(row, "residentBytes"),
      rowFigure(row, "extrapolatedTokensPerSecond"),
    ];
  });
  const columns = [
    left("target"),
    left("weights"),
    left("activations"),
    ...tests.map((test) => right(isRate(test) ? `${test} t/s` : test)),
    right("weights read", ABSENT),
    right("of best read", ABSENT),
    right("peak memory", ABSENT),
    right("full depth (extrapolated)", ABSENT),
  ];
  const cached = cases.some(({ figures }) => (figures.readShare?.value ?? 0) > 1);
  const notes = cached ? ["More than 100 % of the best read of memory: the weights come from a cache."] : [];
  const section = { title: `Speed here, measured: ${modelTitle(result, model)}`, columns, rows, notes };
  return withoutDefaults(section);
}
