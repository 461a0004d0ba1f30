// What far memory would cost: the fastest target's measurement, evaluated under each topology.
// Topologies that change nothing share a row.

import type { BenchResult, TopologyRow } from "../core/result.js";
import { targetName } from "../core/target.js";
import { ABSENT, bytesText, figureText } from "./format.js";
import { left, right, type Section, withoutDefaults } from "./section.js";
import { asReported, fastestTarget, type Measured, measuredCases, modelTitle } from "./select.js";

const TERM_NAMES = {
  latencyNs: "latency",
  bandwidthNs: "bandwidth",
  congestionNs: "shared link",
  writeBackNs: "write-back",
} as const;

/** The largest reason of a delay; a dash when there is none. */
export function largestTerm(row: TopologyRow): string {
  const terms = Object.entries(row.delay.terms) as [keyof typeof TERM_NAMES, number][];
  const largest = terms.reduce((best, term) => (Math.abs(term[1]) > Math.abs(best[1]) ? term : best));
  return Math.abs(largest[1]) < 1 ? ABSENT : TERM_NAMES[largest[0]];
}

/** Rows whose modelled time is the same to the bit, in order. */
function merged(rows: readonly TopologyRow[]): TopologyRow[][] {
  const groups: TopologyRow[][] = [];
  for (const row of rows) {
    const same = groups.find((group) => group[0]?.modelledNs.value === row.modelledNs.value);
    if (same) same.push(row);
    else groups.push([row]);
  }
  return groups;
}

function modelledText(entry: Measured, row: TopologyRow): string {
  const { low, high } = row.modelledRangeNs;
  const text = figureText(asReported(entry.test, entry.tokens, row.modelledNs));
  if (high <= low * 1.005) return text;
  const ends = [high, low].map((value) => asReported(entry.test, entry.tokens, { ...row.modelledNs, value }));
  return `${text} (${ends.map(figureText).join(" to ")})`;
}

function memoryRow(entry: Measured, group: readonly TopologyRow[], all: number): string[] {
  const row = group[0] as TopologyRow;
  const far = Object.entries(row.missBytesByPool).reduce((sum, [, bytes]) => sum + bytes, 0);
  const report = (figure: typeof row.predictedNs) => (figure ? asReported(entry.test, entry.tokens, figure) : null);
  return [
    entry.quant,
    entry.test,
    group.length === all && all > 1 ? `all ${all}` : group.map(({ topology }) => topology).join(", "),
    figureText(report(entry.figures.medianNs ?? null)),
    figureText(report(row.predictedNs)),
    figureText(row.slowdown),
    modelledText(entry, row),
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
    right("spun (measured)", ABSENT),
    right("beyond cache"),
    left("mostly"),
    right("full depth (extrapolated)", ABSENT),
  ];
  const rows = cases.flatMap((entry) => merged(entry.rows).map((group) => memoryRow(entry, group, entry.rows.length)));
  const notes = result.warnings.filter(({ code }) => code === "fits-cache").map(({ message }) => message);
  return withoutDefaults({
    title: `Far memory on ${fastest}: ${modelTitle(result, model)}`,
    columns,
    rows,
    notes: notes.filter((note) => note.startsWith(model)),
  });
}
