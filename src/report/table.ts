// The human table: aligned columns, titles, notes and warnings. Colour comes from the caller's painter, so that this
// file knows no terminal.

import type { BenchResult } from "../core/result.js";
import type { Section } from "./section.js";
import { headline, legend, sections } from "./sections.js";

/** Colours of a table; `plain` for files and pipes. */
export interface Painter {
  title(text: string): string;
  faint(text: string): string;
  warning(text: string): string;
}

export const PLAIN: Painter = { title: (text) => text, faint: (text) => text, warning: (text) => text };

/** One section as lines. */
export function sectionLines(section: Section, paint: Painter): string[] {
  const { columns, rows } = section;
  const widths = columns.map(({ label }, i) => Math.max(label.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, i) => {
        const width = widths[i] as number;
        return align === "right" ? (cells[i] ?? "").padStart(width) : (cells[i] ?? "").padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [
    paint.title(section.title),
    ...(rows.length > 0 ? [paint.faint(line(columns.map(({ label }) => label)))] : []),
    ...rows.map(line),
    ...section.notes.map((note) => paint.faint(note)),
    "",
  ];
}

/** The whole result; ends with a newline. */
export function tableReport(result: BenchResult, paint: Painter = PLAIN): string {
  const lines = [...headline(result).map(paint.faint), ""];
  for (const section of sections(result)) lines.push(...sectionLines(section, paint));
  const times = legend(result);
  if (times) lines.push(paint.faint(times));
  for (const { message, remedy } of result.warnings) lines.push(paint.warning(`note: ${message}. ${remedy}`));
  return `${lines.join("\n")}\n`;
}
