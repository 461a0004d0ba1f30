// JSON Lines: one flat row a case and topology, then one a quality entry, for DuckDB, pandas and grep.

import type { BenchResult } from "../core/result.js";
import { flatRows } from "./flat.js";

/** Every line has a `kind`: case or quality. */
export function jsonlReport(result: BenchResult): string {
  const cases = flatRows(result).map((row) => ({ kind: "case", ...row }));
  const quality = result.quality.map(({ model, quant, activations, figures }) => ({
    kind: "quality",
    model,
    quant,
    activations,
    ...Object.fromEntries(Object.entries(figures).map(([key, { value }]) => [key, value])),
  }));
  return [...cases, ...quality].map((row) => `${JSON.stringify(row)}\n`).join("");
}
