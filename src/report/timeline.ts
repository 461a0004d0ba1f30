// A replayed trace as one self-contained page: summary, time and terms over epochs, bytes by pool. Long traces are averaged
// into at most 2000 columns.

import type { EpochDelay } from "../core/epoch.js";
import { type HtmlAssets, scriptJson, tableHtml } from "./html.js";
import { escapeHtml } from "./html-bars.js";
import { type Chart, drawCharts } from "./html-client.js";
import { SERIES_COLORS, STYLE } from "./html-style.js";
import type { Section } from "./section.js";

const MOST_COLUMNS = 2000;

/** One epoch as the timeline shows it. */
export interface TimelineEpoch {
  readonly nativeNs: number;
  /** null: unknown. */
  readonly delay: EpochDelay | null;
  /** [pools] bytes beyond the cache; null: unknown. */
  readonly poolBytes: readonly number[] | null;
}

export interface Timeline {
  readonly title: string;
  readonly pools: readonly string[];
  readonly epochs: readonly TimelineEpoch[];
  readonly sections: readonly Section[];
}

const TERMS = {
  latencyNs: "latency",
  bandwidthNs: "bandwidth",
  congestionNs: "shared links",
  writeBackNs: "write-back",
  otherHostsNs: "other hosts",
} as const;

type Pick = (epoch: TimelineEpoch) => number | null;

/** Means of consecutive groups of epochs, so that a page stays small however long the trace is; what is unknown is a gap. */
function columnsOf(epochs: readonly TimelineEpoch[], pick: Pick): (number | null)[] {
  const width = Math.max(1, Math.ceil(epochs.length / MOST_COLUMNS));
  return Array.from({ length: Math.ceil(epochs.length / width) }, (_, i) => {
    const known = epochs.slice(i * width, (i + 1) * width).flatMap((epoch) => pick(epoch) ?? []);
    return known.length > 0 ? known.reduce((sum, one) => sum + one, 0) / known.length : null;
  });
}

function chartsOf({ pools, epochs }: Timeline): Chart[] {
  const width = Math.max(1, Math.ceil(epochs.length / MOST_COLUMNS));
  const x = columnsOf(epochs, () => 0).map((_, i) => i * width);
  const series = (label: string, i: number, pick: Pick) => ({
    label,
    color: SERIES_COLORS[i % SERIES_COLORS.length] as string,
    y: columnsOf(epochs, pick),
  });
  const chart = (name: string, yLabel: string, list: Chart["series"]): Chart => ({
    ...{ name, xLabel: "epoch", yLabel, scattered: false, x },
    series: list,
  });
  const terms = Object.entries(TERMS) as [keyof typeof TERMS, string][];
  return [
    chart("Time of each epoch", "us", [
      series("measured, all local", 0, ({ nativeNs }) => nativeNs / 1e3),
      series("predicted", 1, ({ nativeNs, delay }) => delay && (nativeNs + delay.delayNs) / 1e3),
    ]),
    chart(
      "Why it is longer",
      "us",
      terms.map(([key, label], i) => series(label, i, ({ delay }) => delay && (delay.terms[key] ?? 0) / 1e3)),
    ),
    chart(
      "Bytes beyond the cache, by pool",
      "MB",
      pools.map((pool, i) => series(pool, i, ({ poolBytes }) => poolBytes && (poolBytes[i] ?? 0) / 1e6)),
    ),
  ];
}

function drawing(timeline: Timeline, assets: HtmlAssets): string {
  if (timeline.epochs.length === 0) return "";
  const groups = [{ id: "timeline", charts: chartsOf(timeline) }];
  return `<h2>Epochs over time</h2><div id="timeline"></div>
<script type="application/json" id="charts">${scriptJson(groups)}</script>
<script>${assets.script}</script>
<script>(${drawCharts.toString()})(JSON.parse(document.getElementById("charts").textContent), uPlot);</script>
`;
}

/** The page; without epochs its sections alone. */
export function timelineHtml(timeline: Timeline, assets: HtmlAssets): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(timeline.title)}</title>
<style>${assets.style}${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(timeline.title)}</h1>
${timeline.sections.map(tableHtml).join("\n")}
${drawing(timeline, assets)}</body>
</html>
`;
}
