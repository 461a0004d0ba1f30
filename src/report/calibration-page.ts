// A calibration as one self-contained page: the sections, and plots of latency by size, by load and by chains.

import type { Calibration } from "../core/calibration.js";
import { calibrationSections } from "./calibration.js";
import { chartPage } from "./chart-page.js";
import { bytesText } from "./format.js";
import type { HtmlAssets } from "./html.js";
import type { Chart } from "./html-client.js";
import { SERIES_COLORS } from "./html-style.js";
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
  const { environment: env, measuredAt } = calibration;
  const lines = [`${measuredAt}, ${env.cpu}, ${env.cores} cores, ${env.runtime}`];
  const sections = calibrationSections(calibration, true);
  return chartPage({ title: "Nibblemark calibration", lines, charts: charts(calibration), sections }, assets);
}

/** Latency by size as a plot in characters. */
export function calibrationPlot({ chase }: Calibration): string[] {
  const series: PlotSeries[] = [
    { mark: "o", label: "random", points: chase.map(({ bytes, randomNs }) => [bytes, randomNs]) },
    { mark: "*", label: "near", points: chase.map(({ bytes, nearNs }) => [bytes, nearNs]) },
  ];
  return terminalPlot("ns a dependent load, by size of the buffer", series, bytesText);
}
