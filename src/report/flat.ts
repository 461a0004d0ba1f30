// The result as flat rows, one a case and topology: what CSV and JSON Lines hold. Units stand in the names.

import type { BenchResult, CaseResult, TopologyRow } from "../core/result.js";
import { targetName } from "../core/target.js";

export type FlatRow = Readonly<Record<string, string | number | boolean | null>>;

function caseFields(result: BenchResult, entry: CaseResult): FlatRow {
  return {
    schemaVersion: result.schemaVersion,
    startedAt: result.startedAt,
    version: result.environment.version,
    commit: result.environment.commit,
    runtime: result.environment.runtime,
    cpu: result.environment.cpu,
    hostProfile: result.host.hash,
    model: entry.model,
    synthetic: entry.synthetic,
    target: targetName(entry.target),
    quant: entry.quant,
    activations: entry.activations,
    test: entry.test,
    state: entry.state,
    reason: entry.state === "measured" ? null : entry.reason,
    tokens: entry.state === "measured" ? entry.tokens : null,
    rounds: entry.state === "measured" ? entry.samplesNs.length : null,
  };
}

const FIGURES = [
  ["medianNs", "measuredMedianNs"],
  ["madNs", "measuredMadNs"],
  ["lowNs", "measuredLowNs"],
  ["highNs", "measuredHighNs"],
  ["tokensPerSecond", "measuredTokensPerSecond"],
  ["weightGBps", "weightGBps"],
  ["readShare", "readShare"],
  ["residentBytes", "residentBytes"],
  ["peakMemoryBytes", "peakMemoryBytes"],
] as const;

function measuredFields(entry: CaseResult): FlatRow {
  const figures = entry.state === "measured" ? entry.figures : {};
  return Object.fromEntries(FIGURES.map(([key, name]) => [name, figures[key]?.value ?? null]));
}

function topologyFields(row: TopologyRow | null): FlatRow {
  return {
    topology: row?.topology ?? null,
    placement: row ? row.placement.join("; ") : null,
    predictedNs: row?.predictedNs?.value ?? null,
    modelledNs: row?.modelledNs.value ?? null,
    modelledLowNs: row?.modelledRangeNs.low ?? null,
    modelledHighNs: row?.modelledRangeNs.high ?? null,
    modelledLocalNs: row?.delay.localNs ?? null,
    spunNs: row?.spunNs?.value ?? null,
    slowdown: row?.slowdown.value ?? null,
    latencyNs: row?.delay.terms.latencyNs ?? null,
    bandwidthNs: row?.delay.terms.bandwidthNs ?? null,
    congestionNs: row?.delay.terms.congestionNs ?? null,
    writeBackNs: row?.delay.terms.writeBackNs ?? null,
    missBytes: row ? Object.values(row.missBytesByPool).reduce((sum, bytes) => sum + bytes, 0) : null,
    extrapolatedNs: row?.extrapolatedNs?.value ?? null,
  };
}

/** One row a case and topology; a case without topologies has one row with empty topology fields. */
export function flatRows(result: BenchResult): FlatRow[] {
  return result.cases.flatMap((entry) => {
    const rows = entry.state === "measured" && entry.rows.length > 0 ? entry.rows : [null];
    return rows.map((row) => ({ ...caseFields(result, entry), ...measuredFields(entry), ...topologyFields(row) }));
  });
}
