// What the scripted charts show: epochs over time by pool, and the samples of every round.

import type { BenchResult, TopologyRow } from "../core/result.js";
import { targetName } from "../core/target.js";
import type { Chart, ChartGroup } from "./html-client.js";
import { SERIES_COLORS } from "./html-style.js";
import { distinct, fastestTarget, type Measured, measuredCases } from "./select.js";

const color = (index: number) => SERIES_COLORS[index % SERIES_COLORS.length] as string;
const microseconds = (ns: number) => Math.round(ns) / 1000;

function timesOf(entry: Measured, row: TopologyRow): Chart {
  return {
    name: `${entry.model} ${entry.quant} ${entry.test} under ${row.topology}: time`,
    xLabel: "epoch",
    yLabel: "us an epoch",
    scattered: false,
    x: row.epochs.map((_, i) => i),
    series: [
      { label: "measured", color: color(5), y: entry.epochs.map(({ nativeNs }) => microseconds(nativeNs)) },
      { label: "modelled, all local", color: color(0), y: row.epochs.map(({ localNs }) => microseconds(localNs)) },
      { label: "modelled, as placed", color: color(1), y: row.epochs.map(({ placedNs }) => microseconds(placedNs)) },
    ],
  };
}

function bytesOf(entry: Measured, row: TopologyRow): Chart {
  return {
    name: `${entry.model} ${entry.quant} ${entry.test} under ${row.topology}: bytes by pool`,
    xLabel: "epoch",
    yLabel: "MB beyond the cache",
    scattered: false,
    x: row.epochs.map((_, i) => i),
    series: row.pools.map((pool, i) => ({
      label: pool,
      color: color(i),
      y: row.epochs.map(({ missBytes }) => (missBytes[i] ?? 0) / 1e6),
    })),
  };
}

/** Epochs of the fastest target of each model; a single epoch makes no timeline. */
function timelines(result: BenchResult): Chart[] {
  return measuredCases(result)
    .filter((entry) => targetName(entry.target) === fastestTarget(result, entry.model) && entry.epochs.length > 1)
    .flatMap((entry) => entry.rows.flatMap((row) => [timesOf(entry, row), bytesOf(entry, row)]))
    .reverse();
}

/** Samples of one model and test: one column of points an arm. */
function samplesOf(cases: readonly Measured[], name: string): Chart {
  const arms = cases.map(({ target, quant }) => `${targetName(target)} ${quant}`);
  const total = cases.reduce((sum, { samplesNs }) => sum + samplesNs.length, 0);
  const starts = cases.map((_, i) => cases.slice(0, i).reduce((sum, { samplesNs }) => sum + samplesNs.length, 0));
  return {
    name,
    xLabel: "sample, arm after arm",
    yLabel: "ms",
    scattered: true,
    x: Array.from({ length: total }, (_, i) => i),
    series: cases.map(({ samplesNs }, arm) => ({
      label: arms[arm] as string,
      color: color(arm),
      y: Array.from({ length: total }, (_, i) => {
        const sample = samplesNs[i - (starts[arm] as number)];
        return sample === undefined ? null : microseconds(sample) / 1000;
      }),
    })),
  };
}

function distributions(result: BenchResult): Chart[] {
  const cases = measuredCases(result);
  return distinct(cases.map(({ model, test }) => `${model}: ${test}`)).map((name) =>
    samplesOf(
      cases.filter(({ model, test }) => `${model}: ${test}` === name),
      name,
    ),
  );
}

/** The groups of `drawCharts`, by the ids of their places in the page. */
export function chartGroups(result: BenchResult): ChartGroup[] {
  return [
    { id: "timeline", charts: timelines(result) },
    { id: "samples", charts: distributions(result) },
  ];
}
