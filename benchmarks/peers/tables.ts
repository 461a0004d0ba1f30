// The tables of a run as Markdown: the bars, and the medians behind them.

import { type CaseData, type Figure, loadOf, rateOf } from "./analysis.js";
import { BARS, type Bar } from "./bars.js";
import { nameOf } from "./case.js";
import { storedBytes } from "./matrix.js";
import { weightsATokenUses } from "./tinyllama.js";

export interface BarRow {
  readonly label: string;
  readonly aim: number;
  readonly unit: string;
  readonly figure: Figure;
  readonly reached: boolean | null;
  readonly load: number;
}

const reached = ({ aim, most }: Bar, { count, median }: Figure): boolean | null => {
  if (count === 0) return null;
  return most ? median <= aim : median >= aim;
};

export function barRows(data: ReadonlyMap<string, CaseData>): BarRow[] {
  return BARS.flatMap((bar) => {
    const found = data.get(bar.case);
    if (!found) return [];
    const figure = bar.measure(found);
    const { label, aim, unit } = bar;
    return [{ label, aim, unit, figure, reached: reached(bar, figure), load: loadOf(found) }];
  });
}

const digits = (value: number): string => {
  if (value < 1e-2) return value.toExponential(1);
  return value >= 20 ? value.toFixed(0) : value.toFixed(2);
};

const interval = ({ low, high }: Figure): string => (low === high ? "" : ` [${digits(low)}, ${digits(high)}]`);

export function barTable(rows: readonly BarRow[]): string {
  const line = ({ label, aim, unit, figure, reached: is, load }: BarRow) => {
    const sign = unit === "rel. L2" ? "≤" : "≥";
    const bar = `${sign} ${unit === "rel. L2" ? aim.toExponential(0) : aim} ${unit}`;
    if (is === null) return `| ${label} | ${bar} | not measured | | |`;
    const state = `${figure.count}${figure.quiet ? "" : ", busy"}, ${Number.isNaN(load) ? "?" : load.toFixed(2)}`;
    return `| ${label} | ${bar} | ${digits(figure.median)}${interval(figure)} | ${is ? "yes" : "**no**"} | ${state} |`;
  };
  const head = [
    "| case | bar | measured [95 %] | reached | rounds, others' cores |",
    "| --- | --- | --- | --- | --- |",
  ];
  return [...head, ...rows.map(line)].join("\n");
}

/** What a rate means: ms, GB/s of stored bytes and GOPS of a matrix, or tokens a second and GB/s. */
function cells({ task }: CaseData, { median }: Figure): string {
  const { work } = task;
  if (work.kind === "matmul") {
    const ms = 1e-6 / median;
    const gops = 2 * work.rows * work.cols * work.tokens * median;
    return `${ms.toPrecision(3)} ms | ${(storedBytes(work) * median).toPrecision(3)} | ${gops.toPrecision(3)}`;
  }
  const weights = weightsATokenUses(work.kind, work.layers);
  const bytes = work.kind === "decode" ? (weights * 4.5) / 8 : 0;
  return `${(median * 1e9).toPrecision(3)} tok/s | ${bytes ? (bytes * median).toPrecision(3) : "-"} | ${(2 * weights * median).toPrecision(3)}`;
}

export function caseTable(data: CaseData): string {
  const keys = data.task.participants.flatMap((participant) => {
    const name = nameOf(participant);
    const arms = new Set(data.rounds.flatMap(({ samples }) => Object.keys(samples)));
    return [...arms].filter((key) => key.startsWith(`${name}:`));
  });
  const rows = keys.map((key) => {
    const figure = rateOf(data, key);
    const error = data.errors.get(key);
    const spread = `${((100 * (figure.high - figure.low)) / 2 / figure.median).toFixed(0)} %`;
    const count = `${figure.count}${figure.quiet ? "" : " busy"}`;
    return `| ${key} | ${cells(data, figure)} | ±${spread} | ${count} | ${error === undefined ? "" : error.toExponential(1)} |`;
  });
  const head = `| ${data.task.id} | median | GB/s | GOPS | interval | samples | rel. L2 |\n| --- | --- | --- | --- | --- | --- | --- |`;
  return [head, ...rows].join("\n");
}
