// One self-contained page: tables, charts and the whole result as data. It opens from a file with no network.

import type { BenchResult } from "../core/result.js";
import { escapeHtml, qualityPlot, slowdownBars, speedBars } from "./html-bars.js";
import { drawCharts } from "./html-client.js";
import { chartGroups } from "./html-data.js";
import { STYLE } from "./html-style.js";
import type { Section } from "./section.js";
import { headline, legend, sections } from "./sections.js";

/** uPlot's own files, read by the caller. */
export interface HtmlAssets {
  /** uPlot.iife.min.js */
  readonly script: string;
  /** uPlot.min.css */
  readonly style: string;
}

/** JSON that may stand inside a script element: no `<`, no line separators. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

/** A section as a table with its heading. */
export function tableHtml({ title, columns, rows, notes }: Section): string {
  const cell = (tag: "th" | "td", text: string, i: number) =>
    `<${tag}${columns[i]?.align === "right" ? ' class="right"' : ""}>${escapeHtml(text)}</${tag}>`;
  const head = columns.map(({ label }, i) => cell("th", label, i)).join("");
  const body = rows.map((row) => `<tr>${row.map((text, i) => cell("td", text, i)).join("")}</tr>`).join("\n");
  const remarks = notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join("");
  return `<h2>${escapeHtml(title)}</h2><div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>${remarks}`;
}

function part(title: string, content: string): string {
  return content === "" ? "" : `<h2>${escapeHtml(title)}</h2>${content}`;
}

/** The page of a result. */
export function htmlReport(result: BenchResult, assets: HtmlAssets): string {
  const warnings = result.warnings.map(
    ({ message, remedy }) => `<p class="warn">${escapeHtml(`${message}. ${remedy}`)}</p>`,
  );
  const groups = chartGroups(result);
  const scripted = groups.every(({ charts }) => charts.length === 0)
    ? ""
    : '<h2>Epochs over time</h2><div id="timeline"></div><h2>Every sample</h2><div id="samples"></div>';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nibblemark ${escapeHtml(result.startedAt)}</title>
<style>${assets.style}${STYLE}</style>
</head>
<body>
<h1>Nibblemark</h1>
<p class="faint">${escapeHtml(result.startedAt)}</p>
${headline(result)
  .map((line) => `<p class="faint">${escapeHtml(line)}</p>`)
  .join("\n")}
${warnings.join("\n")}
${sections(result).map(tableHtml).join("\n")}
<p class="legend">${escapeHtml(legend(result))}</p>
${part("Tokens a second", speedBars(result))}
${part("Slowdown by far memory", slowdownBars(result))}
${part("Quality beside speed", qualityPlot(result))}
${scripted}
<script type="application/json" id="result">${scriptJson(result)}</script>
<script type="application/json" id="charts">${scriptJson(groups)}</script>
<script>${assets.script}</script>
<script>(${drawCharts.toString()})(JSON.parse(document.getElementById("charts").textContent), uPlot);</script>
</body>
</html>
`;
}
