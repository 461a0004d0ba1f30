// What far memory would cost: the fastest target's measurement, evaluated under each topology.
// Topologies that change nothing share a row.

import type { BenchResult, TopologyRow } from "../core/result.js";
import { targetName } from "../core/target.js";
import type { Figure } from "../core/units.js";
import { ABSENT, bytesText, figureText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";
import { asReported, fastestTarget, type Measured, measuredCases, modelTitle } from "./select.js";

const TERM_NAMES = {
  latencyNs: "latency",
  bandwidthNs: "bandwidth",
  congestionNs: "shared link",
  writeBackNs: "write-back",
  otherHostsNs: "other hosts",
} as const;

/** The largest reason of a delay; a dash when there is none. */
function largestTerm(row: TopologyRow): string {
  const terms = Object.entries(row.delay.terms) as [keyof typeof TERM_NAMES, number][];
  const largest = terms.reduce((best, term) => (Math.abs(term[1]) > Math.abs(best[1]) ? term : best));
  return Math.abs(largest[1]) < 1 ? ABSENT : TERM_NAMES[largest[0]];
}

/** Modelled time as placed over modelled time with everything local. */
export function modelledSlowdown({ delay }: TopologyRow): Figure {
  const value = delay.localNs > 0 ? delay.placedNs / delay.localNs : 1;
  return { value, unit: "x", source: "modelled" };
}

/** Topologies whose cells read the same share a row; the third cell is the topology. */
function merged(rows: readonly (readonly string[])[]): string[][] {
  const groups: { readonly key: string; readonly cells: readonly string[]; readonly names: string[] }[] = [];
  for (const cells of rows) {
    const key = JSON.stringify(cells.toSpliced(2, 1));
    const same = groups.find((group) => group.key === key);
    if (same) same.names.push(cells[2] ?? "");
    else groups.push({ key, cells, names: [cells[2] ?? ""] });
  }
  return groups.map(({ cells, names }) => {
    const all = names.length === rows.length && names.length > 1;
    return cells.toSpliced(2, 1, all ? `all ${names.length}` : names.join(", "));
  });
}

function modelledText(entry: Measured, row: TopologyRow): string {
  const { low, high } = row.modelledRangeNs;
  const text = figureText(asReported(entry.test, entry.tokens, row.modelledNs));
  if (high <= low * 1.005) return text;
  const ends = [high, low].map((value) => asReported(entry.test, entry.tokens, { ...row.modelledNs, value }));
  return `${text} (${ends.map(figureText).join(" to ")})`;
}

function memoryRow(entry: Measured, row: TopologyRow): string[] {
  const far = Object.entries(row.missBytesByPool).reduce((sum, [, bytes]) => sum + bytes, 0);
  const report = (figure: typeof row.predictedNs) => (figure ? asReported(entry.test, entry.tokens, figure) : null);
  return [
    entry.quant,
    entry.test,
    row.topology,
    figureText(report(entry.figures.medianNs ?? null)),
    figureText(report(row.predictedNs)),
    figureText(row.slowdown),
    modelledText(entry, row),
    figureText(modelledSlowdown(row)),
    figureText(report(row.spunNs)),
    bytesText(far),
    largestTerm(row),
    figureText(report(row.extrapolatedNs)),
  ];
}

/** A model under every topology; null when nothing was evaluated. */
export function memorySection(result: BenchResult, model: string): Section | null {
  const fastest = fastestTarget(result, model);
  const cases = measuredCases(result).filter(
    (entry) => entry.model === model && targetName(entry.target) === fastest && entry.rows.length > 0,
  );
  if (cases.length === 0) return null;
  const columns = [
    left("weights"),
    left("test"),
    left("memory"),
    right("measured"),
    right("predicted"),
    right("slowdown"),
    right("modelled"),
    right("slowdown"),
    right("spun (measured)", ABSENT),
    right("beyond cache"),
    left("mostly"),
    right("full depth (extrapolated)", ABSENT),
  ];
  const rows = cases.flatMap((entry) => merged(entry.rows.map((row) => memoryRow(entry, row))));
  const notes = result.warnings.filter(({ code }) => code === "fits-cache").map(({ message }) => message);
  return withoutDefaults({
    title: `Far memory on ${fastest}: ${modelTitle(result, model)}`,
    columns,
    rows,
    notes: notes.filter((note) => note.startsWith(model)),
  });
}
