// GitHub-flavoured Markdown of the same sections, for issues and pull requests.

import type { BenchResult } from "../core/result.js";
import type { Section } from "./section.js";
import { headline, legend, sections } from "./sections.js";

function escapeCell(text: string): string {
  return text.replace(/[\\|<>`*_]/g, "\\$&").replace(/\s+/g, " ");
}

/** One section as Markdown. */
export function sectionMarkdown({ title, columns, rows, notes }: Section): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(" | ")} |`;
  const rule = `|${columns.map(({ align }) => (align === "right" ? "---:" : "---")).join("|")}|`;
  const table = [line(columns.map(({ label }) => label)), rule, ...rows.map(line)];
  return [
    `### ${escapeCell(title)}`,
    "",
    ...table,
    ...(notes.length > 0 ? ["", ...notes.map(escapeCell)] : []),
    "",
  ].join("\n");
}

/** The whole result as Markdown. */
export function markdownReport(result: BenchResult): string {
  const head = headline(result).map((line) => `- ${escapeCell(line)}`);
  const warnings = result.warnings.map(({ message, remedy }) => `- ${escapeCell(`${message}. ${remedy}`)}`);
  const times = legend(result);
  const below = times ? [escapeCell(times), ""] : [];
  return `${[...head, "", ...sections(result).map(sectionMarkdown), ...below, ...warnings].join("\n").trimEnd()}\n`;
}
