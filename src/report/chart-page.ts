// One self-contained page of charts and sections: what a calibration and a page replay are shown on.

import { type HtmlAssets, scriptJson, tableHtml } from "./html.js";
import { escapeHtml } from "./html-bars.js";
import { type Chart, drawCharts } from "./html-client.js";
import { STYLE } from "./html-style.js";
import type { Section } from "./section.js";

export interface ChartPage {
  readonly title: string;
  /** Plain lines under the title. */
  readonly lines: readonly string[];
  /** Shown one under the other. */
  readonly charts: readonly Chart[];
  readonly sections: readonly Section[];
}

export function chartPage({ title, lines, charts, sections }: ChartPage, assets: HtmlAssets): string {
  const groups = charts.map((chart, i) => ({ id: `chart${i}`, charts: [chart] }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${assets.style}${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${lines.map((line) => `<p class="faint">${escapeHtml(line)}</p>`).join("\n")}
${groups.map(({ id }) => `<div id="${id}"></div>`).join("\n")}
${sections.map(tableHtml).join("\n")}
<script type="application/json" id="charts">${scriptJson(groups)}</script>
<script>${assets.script}</script>
<script>(${drawCharts.toString()})(JSON.parse(document.getElementById("charts").textContent), uPlot);</script>
</body>
</html>
`;
}
