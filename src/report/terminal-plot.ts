// A small plot of points in characters, for terminals: x logarithmic, y linear from zero.

import { digits } from "./format.js";

const WIDTH = 60;
const HEIGHT = 12;

export interface PlotSeries {
  /** One character. */
  readonly mark: string;
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Lines of the plot: title, grid with an axis, and a legend. Points need x > 0. */
export function terminalPlot(title: string, series: readonly PlotSeries[], xText: (x: number) => string): string[] {
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) return [];
  const xs = points.map(([x]) => Math.log2(x));
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const top = Math.max(...points.map(([, y]) => y)) || 1;
  const grid = Array.from({ length: HEIGHT }, () => new Array<string>(WIDTH).fill(" "));
  for (const { mark, points: own } of series) {
    for (const [x, y] of own) {
      const column = Math.round(((Math.log2(x) - least) / (most - least || 1)) * (WIDTH - 1));
      const row = HEIGHT - 1 - Math.round((y / top) * (HEIGHT - 1));
      (grid[row] as string[])[column] = mark;
    }
  }
  const labels = grid.map((_, row) => (row === 0 ? digits(top) : row === HEIGHT - 1 ? "0" : ""));
  const margin = Math.max(...labels.map((label) => label.length));
  const ends = [xText(2 ** least), xText(2 ** most)];
  const gap = Math.max(1, WIDTH - ends[0].length - ends[1].length);
  return [
    title,
    ...grid.map((cells, row) => `${labels[row].padStart(margin)} |${cells.join("").trimEnd()}`),
    `${" ".repeat(margin)} +${"-".repeat(WIDTH)}`,
    `${" ".repeat(margin + 2)}${ends[0]}${" ".repeat(gap)}${ends[1]}`,
    `${" ".repeat(margin + 2)}${series.map(({ mark, label }) => `${mark} ${label}`).join("   ")}`,
    "",
  ];
}
