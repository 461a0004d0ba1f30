// A page replay as a page: time, moves and their cost over the epochs, one line a policy.

import type { PageEpochResult, PageRun } from "../core/pages.js";
import { chartPage } from "./chart-page.js";
import type { HtmlAssets } from "./html.js";
import type { Chart } from "./html-client.js";
import { SERIES_COLORS } from "./html-style.js";
import type { Section } from "./section.js";

const MOST_COLUMNS = 2000;

export interface ReplayedPolicy {
  readonly text: string;
  readonly run: PageRun;
}

/** Means of consecutive epochs, so that a page stays small however long the trace is. */
function columns(
  epochs: readonly PageEpochResult[],
  width: number,
  pick: (epoch: PageEpochResult) => number,
): number[] {
  return Array.from({ length: Math.ceil(epochs.length / width) }, (_, i) => {
    const group = epochs.slice(i * width, (i + 1) * width);
    return group.reduce((sum, epoch) => sum + pick(epoch), 0) / group.length;
  });
}

export function pageReplayPage(
  title: string,
  runs: readonly ReplayedPolicy[],
  sections: readonly Section[],
  assets: HtmlAssets,
): string {
  const count = runs[0]?.run.epochs.length ?? 0;
  const width = Math.max(1, Math.ceil(count / MOST_COLUMNS));
  const chart = (name: string, yLabel: string, pick: (epoch: PageEpochResult) => number): Chart => ({
    ...{ name, xLabel: "epoch", yLabel, scattered: false },
    x: Array.from({ length: Math.ceil(count / width) }, (_, i) => i * width),
    series: runs.map(({ text, run }, i) => ({
      label: text,
      color: SERIES_COLORS[i % SERIES_COLORS.length] as string,
      y: columns(run.epochs, width, pick),
    })),
  });
  const charts = [
    chart("Time of each epoch", "us", (epoch) => (epoch.programNs + epoch.moveNs + epoch.translationNs) / 1e3),
    chart("Of it: moves and copies", "us", ({ moveNs }) => moveNs / 1e3),
    chart("Pages moved", "pages", ({ moves }) => moves),
  ];
  return chartPage({ title, lines: [], charts, sections }, assets);
}
