// The formats a result can be written in: one file and one line each.

import type { BenchResult } from "../core/result.js";
import { csvReport } from "./csv.js";
import { type HtmlAssets, htmlReport } from "./html.js";
import { jsonReport } from "./json.js";
import { jsonlReport } from "./jsonl.js";
import { markdownReport } from "./markdown.js";
import { type Painter, tableReport } from "./table.js";

export interface ReportParts {
  readonly paint: Painter;
  readonly assets: HtmlAssets;
}

export interface ReportFormat {
  readonly name: string;
  /** May be written to stdout with -o. */
  readonly stdout: boolean;
  readonly write: (result: BenchResult, parts: ReportParts) => string;
}

export const FORMATS: readonly ReportFormat[] = [
  { name: "table", stdout: true, write: (result, { paint }) => tableReport(result, paint) },
  { name: "json", stdout: true, write: jsonReport },
  { name: "jsonl", stdout: true, write: jsonlReport },
  { name: "csv", stdout: true, write: csvReport },
  { name: "md", stdout: true, write: markdownReport },
  { name: "html", stdout: false, write: (result, { assets }) => htmlReport(result, assets) },
];
