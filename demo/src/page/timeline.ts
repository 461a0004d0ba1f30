// The last answer as two charts over its epochs: time as measured and as predicted, and bytes beyond the cache by pool; and the
// same figures as a table for those who do not see charts.

import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Estimate } from "../protocol.js";
import type { Client } from "./client.js";
import { digits, find, sectionTable, text, turn } from "./dom.js";

const NOTHING = "Ask something: each token is an epoch.";

/** Epochs are whole: without these a short answer gets ticks at a quarter of one. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

interface Series {
  readonly label: string;
  readonly values: readonly number[];
}

/** Loaded with the first answer: merely evaluating it (Intl's number formats) takes as long as all other scripts of the page. */
async function plotter(): Promise<typeof uPlot> {
  const { default: Plot } = await import("uplot");
  await turn();
  return Plot;
}

const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function draw(Plot: typeof uPlot, place: HTMLElement, title: string, unit: string, series: readonly Series[]): void {
  const count = series[0]?.values.length ?? 0;
  const axis = (label: string) => ({
    label,
    stroke: color("--ink"),
    grid: { stroke: color("--line") },
    ticks: { stroke: color("--line") },
  });
  const options: uPlot.Options = {
    title,
    width: Math.max(240, place.clientWidth),
    height: 240,
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, most * 1.1 || 1] } },
    axes: [
      { ...axis("epoch"), incrs: WHOLE },
      { ...axis(unit), size: 60 },
    ],
    series: [
      { label: "epoch" },
      ...series.map(({ label }, i) => ({
        label,
        stroke: color(`--series-${i % 4}`),
        width: 2,
        points: { show: true },
        value: (_: uPlot, value: number | null) => (value === null ? "" : digits(value)),
      })),
    ],
  };
  const x = Array.from({ length: count }, (_, i) => i);
  place.replaceChildren();
  new Plot(options, [x, ...series.map(({ values }) => [...values])], place);
}

function table({ epochs, pools }: Estimate): HTMLElement {
  const right = (label: string) => ({ label, align: "right" as const });
  return sectionTable({
    title: "Epochs of the last answer",
    columns: [
      { label: "epoch", align: "left" },
      right("measured ms"),
      right("waited ms"),
      right("predicted ms"),
      ...pools.map((pool) => right(`${pool} MB`)),
    ],
    rows: epochs.map(({ phase, measuredMs, spunMs, predictedMs, missBytes }, i) => [
      `${i} ${phase}`,
      ...[measuredMs, spunMs, predictedMs, ...missBytes.map((bytes) => bytes / 1e6)].map(digits),
    ]),
    notes: [],
  });
}

/** Both charts and the table, each in a task of its own. */
async function show({ epochs, pools, ...others }: Estimate): Promise<void> {
  find("timeline-empty", HTMLElement).hidden = true;
  find("timeline-table", HTMLDetailsElement).hidden = false;
  const rows = table({ epochs, pools, ...others });
  find("timeline-table", HTMLDetailsElement).querySelector("div")?.replaceChildren(rows);
  const Plot = await plotter();
  draw(Plot, find("time-chart", HTMLElement), "Time of each epoch", "ms", [
    { label: "measured", values: epochs.map(({ measuredMs }) => measuredMs) },
    { label: "predicted", values: epochs.map(({ predictedMs }) => predictedMs) },
  ]);
  await turn();
  const bytes = pools.map((label, i) => ({
    label,
    values: epochs.map(({ missBytes }) => (missBytes[i] ?? 0) / 1e6),
  }));
  draw(Plot, find("pool-chart", HTMLElement), "Bytes beyond the cache, by pool", "MB", bytes);
}

/** As before the first answer: what was shown belonged to a model that is no longer open. */
function clear(): void {
  text("timeline-empty", NOTHING);
  find("timeline-empty", HTMLElement).hidden = false;
  find("timeline-table", HTMLDetailsElement).hidden = true;
  find("timeline-table", HTMLDetailsElement).querySelector("div")?.replaceChildren();
  for (const id of ["time-chart", "pool-chart"]) find(id, HTMLElement).replaceChildren();
}

/** Draws after each estimate, and anew when colours or width change. */
export function openTimeline(client: Client): void {
  let last: Estimate | null = null;
  let frame = 0;
  const next = async () => {
    // Out of the frame's own task, which has layout and paint to do.
    await turn();
    const shown = last;
    if (shown?.epochs.length === 0) clear();
    else if (shown) {
      await show(shown).catch((error: Error) => {
        text("timeline-empty", `The charts could not be loaded (${error.message}); the table has their figures.`);
        find("timeline-empty", HTMLElement).hidden = false;
      });
    }
    frame = 0;
    if (shown !== last) ask();
  };
  // A slider that moves gives many estimates; one drawing a frame is enough.
  const ask = (): void => {
    if (frame === 0) frame = requestAnimationFrame(() => void next());
  };
  client.on("estimate", ({ estimate }) => {
    last = estimate;
    ask();
  });
  addEventListener("resize", ask);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ask);
}
