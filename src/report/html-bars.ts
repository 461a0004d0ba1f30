// The charts of the HTML report that need no script: bars and the plot of quality beside speed, drawn as HTML and SVG.

import type { BenchResult, TopologyRow } from "../core/result.js";
import { parseTest } from "../core/scenario.js";
import { targetName } from "../core/target.js";
import type { Figure } from "../core/units.js";
import { digits, figureText } from "./format.js";
import { SERIES_COLORS } from "./html-style.js";
import { modelledSlowdown } from "./memory-section.js";
import { asReported, distinct, fastestTarget, isRate, measuredCases, modelNames, modelTitle } from "./select.js";

/** Text safe in HTML content and in quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly color: string;
}

function bars(list: readonly Bar[]): string {
  const most = Math.max(...list.map(({ value }) => value), Number.MIN_VALUE);
  const rows = list.map(({ label, value, text, color }) => {
    const width = ((100 * Math.max(0, value)) / most).toFixed(1);
    return `<span>${escapeHtml(label)}</span><span class="bar"><i style="width:calc(${width}% * .8);background:${color}"></i>${escapeHtml(text)}</span>`;
  });
  return `<div class="bars">${rows.join("")}</div>`;
}

/** Tokens a second by target and format, one block a model and test. */
export function speedBars(result: BenchResult): string {
  const cases = measuredCases(result).filter(({ test }) => isRate(test));
  const quants = distinct(cases.map(({ quant }) => quant));
  const color = (quant: string) => SERIES_COLORS[quants.indexOf(quant as never) % SERIES_COLORS.length] as string;
  const blocks = modelNames(result).flatMap((model) => {
    const own = cases.filter((entry) => entry.model === model);
    return distinct(own.map(({ test }) => test)).map((test) => {
      const list = own
        .filter((entry) => entry.test === test)
        .flatMap((entry) => {
          const { medianNs } = entry.figures;
          if (!medianNs) return [];
          const figure = asReported(test, entry.tokens, medianNs);
          const label = `${targetName(entry.target)} ${entry.quant}`;
          return [{ label, value: figure.value, text: figureText(figure), color: color(entry.quant) }];
        });
      return `<h3>${escapeHtml(`${modelTitle(result, model)}: ${test}, measured`)}</h3>${bars(list)}`;
    });
  });
  return blocks.join("");
}

/** Below this a bar of slowdowns says nothing. */
const VISIBLE_SLOWDOWN = 1.005;

function slowdownBlock(result: BenchResult, model: string): string {
  const fastest = fastestTarget(result, model);
  const cases = measuredCases(result).filter(
    (entry) => entry.model === model && targetName(entry.target) === fastest && entry.rows.length > 0,
  );
  if (cases.length === 0) return "";
  const title = escapeHtml(`${modelTitle(result, model)} on ${fastest}`);
  const block = (kind: string, slowdown: (row: TopologyRow) => Figure) => {
    const list = cases.flatMap((entry) =>
      entry.rows.map((row, i) => ({
        label: `${entry.quant} ${entry.test} ${row.topology}`,
        value: slowdown(row).value,
        text: figureText(slowdown(row)),
        color: SERIES_COLORS[i % SERIES_COLORS.length] as string,
      })),
    );
    const flat = list.every(({ value }) => value < VISIBLE_SLOWDOWN);
    return `<h3>${title}, ${kind}</h3>${flat ? "<p>No topology slows it down.</p>" : bars(list)}`;
  };
  return block("modelled", modelledSlowdown) + block("predicted", (row) => row.slowdown);
}

/** How much slower each test becomes under each topology, on the fastest target. */
export function slowdownBars(result: BenchResult): string {
  return modelNames(result)
    .map((model) => slowdownBlock(result, model))
    .join("");
}

interface Point {
  readonly label: string;
  readonly x: number;
  readonly y: number;
}

function qualityPoints(result: BenchResult): Point[] {
  return result.quality.flatMap((entry) => {
    const kl = entry.figures.klText ?? entry.figures.klAnswer;
    const speeds = measuredCases(result)
      .filter((c) => c.model === entry.model && c.quant === entry.quant && parseTest(c.test)?.kind === "decode")
      .flatMap((c) => (c.figures.medianNs ? [asReported(c.test, c.tokens, c.figures.medianNs).value] : []));
    if (!kl || speeds.length === 0) return [];
    return [{ label: `${entry.quant} (${digits(kl.value)})`, x: Math.max(...speeds), y: kl.value }];
  });
}

/** KL divergence against decode speed as SVG; empty without both. */
export function qualityPlot(result: BenchResult): string {
  const points = qualityPoints(result);
  if (points.length === 0) return "";
  const [width, height, margin] = [640, 260, 48];
  const mostX = Math.max(...points.map(({ x }) => x)) * 1.15;
  const mostY = Math.max(...points.map(({ y }) => y), 1e-6) * 1.2;
  const marks = points.map(({ label, x, y }, i) => {
    const px = margin + (x / mostX) * (width - 2 * margin);
    const py = height - margin - (y / mostY) * (height - 2 * margin);
    const color = SERIES_COLORS[i % SERIES_COLORS.length];
    const side = px > width / 2 ? -1 : 1;
    return `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="6" fill="${color}"/><text x="${(px + side * 10).toFixed(1)}" y="${(py + 4).toFixed(1)}" text-anchor="${side < 0 ? "end" : "start"}">${escapeHtml(label)}</text>`;
  });
  const axes =
    `<line class="axis" x1="${margin}" y1="${height - margin}" x2="${width - margin}" y2="${height - margin}"/>` +
    `<line class="axis" x1="${margin}" y1="${margin}" x2="${margin}" y2="${height - margin}"/>` +
    `<text x="${margin}" y="${margin - 12}">KL(f32 || format), nats a token (lower is better)</text>` +
    `<text x="${width - margin}" y="${height - margin + 28}" text-anchor="end">best decode, 0 to ${digits(mostX)} t/s (right is better)</text>`;
  return `<svg role="img" aria-label="quality beside speed" viewBox="0 0 ${width} ${height}" width="100%" style="max-width:${width}px">${axes}${marks.join("")}</svg>`;
}
