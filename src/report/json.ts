// The result itself as JSON: the interface that every other tool reads, every sample and epoch kept.

import type { BenchResult } from "../core/result.js";

/** Indented JSON of the whole result. */
export function jsonReport(result: BenchResult): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}
