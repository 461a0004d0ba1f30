// The script of the HTML report. `drawCharts` is put into the page as its own source text (Function.toString), so it
// must not use anything from outside its body but its arguments and the browser.

/** A chart with a menu: one entry is shown at a time. */
export interface ChartGroup {
  readonly id: string;
  readonly charts: readonly Chart[];
}

export interface Chart {
  readonly name: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** true: points only. */
  readonly scattered: boolean;
  readonly x: readonly number[];
  readonly series: readonly {
    readonly label: string;
    readonly color: string;
    readonly y: readonly (number | null)[];
  }[];
}

/** What this page uses of uPlot. */
type Plotter = new (options: unknown, data: unknown, parent: HTMLElement) => { destroy(): void };

/** Fills every element whose id is a group's with a menu and its chart. */
export function drawCharts(groups: readonly ChartGroup[], Plot: Plotter): void {
  const ink = () => getComputedStyle(document.body).getPropertyValue("--ink").trim();
  const grid = () => getComputedStyle(document.body).getPropertyValue("--line").trim();

  // a delay may be negative
  const range = (_: unknown, least: number, most: number) => [Math.min(0, least * 1.08), Math.max(0, most * 1.08) || 1];

  function optionsOf(chart: Chart, width: number): unknown {
    const axis = (label: string) => ({ label, stroke: ink(), grid: { stroke: grid() }, ticks: { stroke: grid() } });
    return {
      width,
      height: 280,
      scales: { x: { time: false }, y: { range } },
      axes: [axis(chart.xLabel), { ...axis(chart.yLabel), size: 70 }],
      series: [
        { label: chart.xLabel },
        ...chart.series.map(({ label, color }) => ({
          label,
          stroke: color,
          width: 2,
          points: { show: chart.scattered || chart.x.length < 64, size: 6, fill: color },
          ...(chart.scattered ? { paths: () => null } : {}),
        })),
      ],
    };
  }

  for (const { id, charts } of groups) {
    const place = document.getElementById(id);
    if (!place || charts.length === 0) continue;
    const menu = document.createElement("select");
    for (const { name } of charts) menu.append(new Option(name));
    const holder = document.createElement("div");
    holder.className = "chart";
    place.append(menu, holder);
    let shown: { destroy(): void } | null = null;
    const show = () => {
      const chart = charts[menu.selectedIndex];
      if (!chart) return;
      shown?.destroy();
      const width = Math.max(320, holder.clientWidth - 16);
      shown = new Plot(optionsOf(chart, width), [chart.x, ...chart.series.map(({ y }) => y)], holder);
    };
    menu.addEventListener("change", show);
    window.addEventListener("resize", show);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    show();
  }
}
