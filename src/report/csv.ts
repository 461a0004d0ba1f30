// Comma-separated values (RFC 4180) of the flat rows.

import type { BenchResult } from "../core/result.js";
import { flatRows } from "./flat.js";

function cell(value: string | number | boolean | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Header and one line a case and topology; only the header when there are none. */
export function csvReport(result: BenchResult): string {
  const rows = flatRows(result);
  const keys = Object.keys(rows[0] ?? { model: "", target: "", quant: "", test: "" });
  const lines = [keys.join(","), ...rows.map((row) => keys.map((key) => cell(row[key] ?? null)).join(","))];
  return `${lines.join("\r\n")}\r\n`;
}
