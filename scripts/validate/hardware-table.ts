// The tables of the hardware validation, from its JSON alone: each case with its prediction and what was measured, also those
// that miss; and the summary over them.

import { left, right, type Section } from "../../src/report/section.js";
import type { CoKind, PairTimes } from "./hardware-measure.js";
import type { HardwareFigures, Predicted } from "./hardware-predict.js";

export interface PairRow {
  readonly name: string;
  readonly predicted: Predicted;
}

export interface ContentionRow {
  readonly name: string;
  readonly kind: CoKind;
  readonly pause: number;
  readonly loadGBps: number;
  readonly slowdown: number;
}

/** What is written before anything of it is measured. */
export interface HardwarePredictions {
  readonly schemaVersion: 1;
  readonly kind: "hardware-predictions";
  readonly writtenAt: string;
  readonly machine: string;
  readonly variant: string;
  readonly calibrationLoad: string;
  readonly figures: HardwareFigures;
  readonly pairs: readonly PairRow[];
  readonly contention: readonly ContentionRow[];
}

export interface MeasuredContention {
  readonly aloneNs: number;
  readonly besideNs: number;
  /** Bandwidth that the co-runner took meanwhile. */
  readonly loadGBps: number;
}

export interface HardwareResult {
  readonly schemaVersion: 1;
  readonly kind: "hardware-validation";
  readonly predictions: HardwarePredictions;
  readonly measuredAt: string;
  readonly seconds: number;
  readonly measuringLoad: string;
  readonly pairs: readonly PairTimes[];
  readonly contention: readonly MeasuredContention[];
}

const AIM = 0.1;
const CLEAR = 1.2;

/** Relative error of a predicted slowdown. */
export const errorOf = (predicted: number, measured: number): number => predicted / measured - 1;
const percent = (error: number) => `${error >= 0 ? "+" : ""}${(100 * error).toFixed(0)} %`;
const times = (slowdown: number) => `${slowdown.toFixed(2)}x`;
const us = (ns: number) => (ns / 1000).toFixed(1);

function summary(errors: readonly number[], what: string): string {
  if (errors.length === 0) return `${what}: no case.`;
  const sizes = errors.map(Math.abs);
  const within = sizes.filter((size) => size <= AIM).length;
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const worst = Math.max(...sizes);
  return `${what}: ${within} of ${errors.length} within 10 %, mean error ${(100 * mean).toFixed(0)} %, worst ${(100 * worst).toFixed(0)} %.`;
}

export function pairSection({ predictions, pairs }: HardwareResult): Section {
  const rows = predictions.pairs.map(({ name, predicted }, i) => {
    const { nearNs, farNs } = pairs[i] as PairTimes;
    return { name, predicted, nearNs, farNs, slowdown: farNs / nearNs };
  });
  const errors = rows.map(({ predicted, slowdown }) => errorOf(predicted.slowdown, slowdown));
  const owns = rows.map(({ predicted, slowdown }) => errorOf(predicted.ownSlowdown, slowdown));
  return {
    title: "Cache as near, DRAM as far",
    columns: [
      left("program, bytes it touches"),
      right("near us: predicted"),
      right("measured"),
      right("far us: predicted"),
      right("measured"),
      right("slowdown: predicted"),
      right("measured"),
      right("error"),
      right("with the kernel's own waits"),
      right("error"),
    ],
    rows: rows.map(({ name, predicted, nearNs, farNs, slowdown }, i) => [
      name,
      ...[us(predicted.nearNs), us(nearNs), us(predicted.farNs), us(farNs)],
      ...[times(predicted.slowdown), times(slowdown), percent(errors[i] as number)],
      ...[times(predicted.ownSlowdown), percent(owns[i] as number)],
    ]),
    notes: [
      summary(errors, "The equation with the lines in flight of plain loads"),
      summary(
        owns,
        "With the kernel's own waits, calibrated in DRAM on another footprint (join: lines in flight; GEMV: loads waited for at each stream's start)",
      ),
    ],
  };
}

export function contentionSection({ predictions, contention }: HardwareResult): Section {
  const rows = predictions.contention.map((row, i) => {
    const { aloneNs, besideNs, loadGBps } = contention[i] as MeasuredContention;
    return { ...row, besideNs, taken: loadGBps, measured: besideNs / aloneNs };
  });
  const controlNs = (name: string) => rows.find((row) => row.name === name && row.kind === "compute")?.besideNs ?? 0;
  const clear = rows.filter(({ kind, measured }) => kind !== "compute" && measured >= CLEAR);
  const loads = rows.filter(({ kind }) => kind !== "compute");
  return {
    title: "Contention for DRAM",
    columns: [
      left("program"),
      left("co-runner, pause"),
      right("GB/s: predicted"),
      right("measured"),
      right("slowdown: predicted"),
      right("measured"),
      right("error"),
      right('error of "1.0"'),
      right("measured over control"),
      right("error"),
    ],
    rows: rows.map(({ name, kind, pause, loadGBps, taken, slowdown, measured, besideNs }) => [
      name,
      `${kind}, ${pause}`,
      ...[loadGBps.toFixed(1), taken.toFixed(1), times(slowdown), times(measured)],
      ...[percent(errorOf(slowdown, measured)), percent(errorOf(1, measured))],
      ...[times(besideNs / controlNs(name)), percent(errorOf(slowdown, besideNs / controlNs(name)))],
    ]),
    notes: [
      summary(
        clear.map(({ slowdown, measured }) => errorOf(slowdown, measured)),
        "Measured slowdown of 1.2 or more",
      ),
      summary(
        clear.map(({ measured }) => errorOf(1, measured)),
        'The same cases by "1.0"',
      ),
      summary(
        loads.map(({ slowdown, measured }) => errorOf(slowdown, measured)),
        "All loads",
      ),
      summary(
        loads.map(({ measured }) => errorOf(1, measured)),
        'All loads by "1.0"',
      ),
      summary(
        loads.map(({ name, slowdown, besideNs }) => errorOf(slowdown, besideNs / controlNs(name))),
        "All loads, slowdown over the compute-only control",
      ),
    ],
  };
}

function markdown({ title, columns, rows, notes }: Section): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = `|${columns.map(({ align }) => (align === "right" ? "---:" : "---")).join("|")}|`;
  const table = [line(columns.map(({ label }) => label)), rule, ...rows.map(line)];
  return [`### ${title}`, "", ...table, "", ...notes.map((note) => `- ${note}`), ""].join("\n");
}

/** Marks between which a run of the script writes; the prose around them is by hand. */
const START = "<!-- hardware: written by npm run validate -- --hardware --docs -->";
const END = "<!-- end of hardware -->";

/** docs/validation.md with the tables of this result between their marks, or at its end the first time. */
export function withTables(document: string, result: HardwareResult): string {
  const { predictions: p, measuredAt, seconds, measuringLoad } = result;
  const { cache, dramNs, cacheGBps, dramGBps, bothGBps, strideLines, streamLines } = p.figures;
  const cached = cache.map(({ bytes, ns }) => `${ns.toFixed(2)} ns in ${bytes / 1024} KiB`).join(", ");
  const own = Object.entries({ ...p.figures.ownLines, ...p.figures.startLines }).map(
    ([name, lines]) => `${name} ${lines.toFixed(1)}`,
  );
  const head = [
    `${p.machine}, ${p.variant} kernels; predictions written ${p.writtenAt}, measured by ${measuredAt}, ${seconds.toFixed(0)} s in all. While calibrating, ${p.calibrationLoad}; while measuring, ${measuringLoad}.`,
    `Calibrated: cache ${cached}, ${cacheGBps.toFixed(1)} GB/s; DRAM ${dramNs.toFixed(0)} ns, ${dramGBps.toFixed(1)} GB/s of one core and ${bothGBps.toFixed(1)} of two; ${strideLines.toFixed(1)} lines in flight (single) and ${streamLines.toFixed(1)} (streams); the kernels' own: ${own.join(", ")}.`,
  ].join("\n");
  const body = [START, head, "", markdown(pairSection(result)), markdown(contentionSection(result)), END].join("\n");
  const from = document.indexOf(START);
  const to = document.indexOf(END);
  if (from < 0 || to < from)
    return `${document.trimEnd()}\n\n## On real hardware, no CXL needed\n\n    npm run validate -- --hardware\n\n${body}\n`;
  return document.slice(0, from) + body + document.slice(to + END.length);
}
