// Quality beside speed: how far each format is from f32, and what it is worth on questions and text.

import type { BenchResult } from "../core/result.js";
import { parseTest } from "../core/scenario.js";
import { ABSENT, figureText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";
import { asReported, measuredCases, modelTitle } from "./select.js";

/** Figures of quality in the order of their columns. */
const QUALITY_COLUMNS: readonly (readonly [key: string, label: string])[] = [
  ["klText", "KL text (nats)"],
  ["klAnswer", "KL answers (nats)"],
  ["top1", "same top token"],
  ["perplexity", "perplexity"],
  ["accuracy", "answers right"],
  ["accuracyDigits", "digit grids"],
  ["accuracyShapes", "easy-VQA"],
];

function bestDecode(result: BenchResult, model: string, quant: string): string {
  const speeds = measuredCases(result)
    .filter((entry) => entry.model === model && entry.quant === quant && parseTest(entry.test)?.kind === "decode")
    .flatMap(({ test, tokens, figures }) => (figures.medianNs ? [asReported(test, tokens, figures.medianNs)] : []));
  return figureText(speeds.sort((a, b) => b.value - a.value)[0]);
}

/** Quality of one model's formats; null when none was measured. */
export function qualitySection(result: BenchResult, model: string): Section | null {
  const entries = result.quality.filter((entry) => entry.model === model);
  if (entries.length === 0) return null;
  const columns = [
    left("weights"),
    left("activations"),
    ...QUALITY_COLUMNS.map(([, label]) => right(label, ABSENT)),
    right("best decode", ABSENT),
  ];
  const rows = entries.map((entry) => [
    entry.quant,
    entry.activations,
    ...QUALITY_COLUMNS.map(([key]) => figureText(entry.figures[key])),
    bestDecode(result, model, entry.quant),
  ]);
  const notes = ["KL is KL(f32 || format), teacher-forced, in nats a token; 0 means the same distribution."];
  return withoutDefaults({ title: `Quality: ${modelTitle(result, model)}`, columns, rows, notes });
}
