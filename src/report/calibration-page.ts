// A calibration as one self-contained page: the sections, and plots of latency by size, by load and by chains.

import type { Calibration } from "../core/calibration.js";
import { calibrationSections } from "./calibration.js";
import { bytesText } from "./format.js";
import { type HtmlAssets, scriptJson, tableHtml } from "./html.js";
import { escapeHtml } from "./html-bars.js";
import { type Chart, drawCharts } from "./html-client.js";
import { SERIES_COLORS, STYLE } from "./html-style.js";
import { type PlotSeries, terminalPlot } from "./terminal-plot.js";

const color = (index: number) => SERIES_COLORS[index % SERIES_COLORS.length] as string;

function charts({ chase, chains, loaded }: Calibration): Chart[] {
  const shown = [...loaded].sort((a, b) => a.gbps - b.gbps);
  const loadedBy = (kind: string) => shown.map((point) => (point.kind === kind && point.kept ? point.ns : null));
  return [
    {
      name: "latency by size of the buffer",
      xLabel: "log2 of bytes",
      yLabel: "ns a load",
      scattered: false,
      x: chase.map(({ bytes }) => Math.log2(bytes)),
      series: [
        { label: "near", color: color(0), y: chase.map(({ nearNs }) => nearNs) },
        { label: "random", color: color(1), y: chase.map(({ randomNs }) => randomNs) },
      ],
    },
    {
      name: "latency under load",
      xLabel: "GB/s",
      yLabel: "ns a load",
      scattered: true,
      x: shown.map(({ gbps }) => gbps),
      series: ["read", "store"].map((kind, i) => ({ label: kind, color: color(i), y: loadedBy(kind) })),
    },
    {
      name: "bandwidth of one core by chains",
      xLabel: "chains",
      yLabel: "GB/s",
      scattered: false,
      x: chains.map((point) => point.chains),
      series: [{ label: "GB/s", color: color(2), y: chains.map(({ gbps }) => gbps) }],
    },
  ];
}

/** The page of a calibration. */
export function calibrationPage(calibration: Calibration, assets: HtmlAssets): string {
  const plots = charts(calibration).map((chart, i) => ({ id: `plot${i}`, charts: [chart] }));
  const places = plots.map(({ id }) => `<div id="${id}"></div>`).join("");
  const { environment: env, measuredAt } = calibration;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nibblemark calibration ${escapeHtml(measuredAt)}</title>
<style>${assets.style}${STYLE}</style>
</head>
<body>
<h1>Nibblemark calibration</h1>
<p class="faint">${escapeHtml(`${measuredAt}, ${env.cpu}, ${env.cores} cores, ${env.runtime}`)}</p>
<h2>Plots</h2>${places}
${calibrationSections(calibration, true).map(tableHtml).join("\n")}
<script type="application/json" id="charts">${scriptJson(plots)}</script>
<script>${assets.script}</script>
<script>(${drawCharts.toString()})(JSON.parse(document.getElementById("charts").textContent), uPlot);</script>
</body>
</html>
`;
}

/** Latency by size as a plot in characters. */
export function calibrationPlot({ chase }: Calibration): string[] {
  const series: PlotSeries[] = [
    { mark: "o", label: "random", points: chase.map(({ bytes, randomNs }) => [bytes, randomNs]) },
    { mark: "*", label: "near", points: chase.map(({ bytes, nearNs }) => [bytes, nearNs]) },
  ];
  return terminalPlot("ns a dependent load, by size of the buffer", series, bytesText);
}
