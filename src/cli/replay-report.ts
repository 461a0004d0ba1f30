// A replayed trace as a table, as JSON lines and as epochs of a timeline. What is unknown is named so, never 0.

import type { HostProfile } from "../core/host.js";
import type { Topology } from "../core/topology.js";
import type { DelayModelName, ReplayedEpoch, Trace, TraceTraffic } from "../core/trace.js";
import type { CampFit } from "../delay/camp.js";
import type { PlacedEpoch } from "../delay/models.js";
import { digits, timeText } from "../report/format.js";
import { left, right, type Section } from "../report/section.js";
import type { TimelineEpoch } from "../report/timeline.js";

/** A trace and what a model made of it. */
export interface Replay {
  readonly source: string;
  readonly model: DelayModelName;
  readonly topology: Topology;
  readonly host: HostProfile;
  readonly trace: Trace;
  readonly placed: readonly PlacedEpoch[];
  /** [epochs]; null: what the epoch moved is unknown. */
  readonly results: readonly (ReplayedEpoch | null)[];
  readonly camp: CampFit | null;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const bytesOf = (pool: TraceTraffic) =>
  (pool.chaseLines + pool.demandLines) * 64 + pool.streamedBytes + pool.writtenBytes;

/** Over the epochs that tell what they moved. */
function predictedRows({ trace, results }: Replay): string[][] {
  const known = results.flatMap((result) => (result ? [result.delay] : []));
  const missing = results.length - known.length;
  const unknown = "no epoch tells what missed the cache";
  if (known.length === 0) return ["predicted", "slowdown"].map((name) => [name, `unknown: ${unknown}`]);
  const allNs = sum(trace.epochs.map((epoch) => epoch.nativeNs));
  const nativeNs = sum(trace.epochs.map((epoch, i) => (results[i] ? epoch.nativeNs : 0)));
  const delayNs = sum(known.map((delay) => delay.delayNs));
  const terms = (key: "latencyNs" | "bandwidthNs" | "congestionNs" | "writeBackNs" | "otherHostsNs") =>
    timeText(sum(known.map((delay) => delay.terms[key] ?? 0)));
  const share = `${digits((100 * nativeNs) / allNs)} % of the time, unknown in ${missing} epochs`;
  return [
    ...(missing > 0 ? [["delays known for", share]] : []),
    [missing > 0 ? "predicted for it" : "predicted", timeText(nativeNs + delayNs)],
    ["slowdown", `${((nativeNs + delayNs) / nativeNs).toFixed(3)}x`],
    ["of it: latency", terms("latencyNs")],
    ["bandwidth", terms("bandwidthNs")],
    ["shared links", terms("congestionNs")],
    ["other hosts", terms("otherHostsNs")],
    ["write-back", terms("writeBackNs")],
  ];
}

export function sectionsOf(done: Replay): Section[] {
  const { model, topology, host, trace, camp, source } = done;
  const rows = [
    ["epochs", String(trace.epochs.length)],
    ["measured, all local", timeText(sum(trace.epochs.map((epoch) => epoch.nativeNs)))],
    ...predictedRows(done),
  ];
  const fit = camp?.leaveOneOut;
  const notes = [
    `delay model ${model}, host profile ${host.name} (${host.hash})`,
    ...(fit
      ? [
          `CAMP fitted to ${camp?.benchmarks} microbenchmarks; left out one by one: mean error ${digits(fit.mean * 100)} points, worst ${digits(fit.worst * 100)} (${fit.worstName})`,
        ]
      : []),
    ...(trace.lost.length > 0
      ? [
          `${trace.lost.length} broken lines left out, the first: line ${trace.lost[0]?.line}, ${trace.lost[0]?.problem}`,
        ]
      : []),
  ];
  return [{ title: `${source} under ${topology.name}`, columns: [left("what"), right("value")], rows, notes }];
}

const UNKNOWN = {
  ...{ predictedNs: null, delayNs: null, localNs: null, placedNs: null },
  ...{ terms: null, poolBytes: null, residual: null },
};

/** Header and one line an epoch; of an unknown one all that follows from lines is null. */
export function jsonLines({ source, model, topology, host, trace, placed, results, camp }: Replay): string {
  const head = {
    ...{ schemaVersion: 1, kind: "replay", trace: source, model, topology: topology.name, host: host.hash },
    ...{ pools: topology.pools.map(({ name }) => name), epochs: results.length, lost: trace.lost },
    ...(camp ? { camp } : {}),
  };
  const lines = results.map((result, index) => {
    const { epoch, pools } = placed[index] as PlacedEpoch;
    const { nativeNs, phase, line } = epoch;
    if (!result) return { index, line, phase, nativeNs, ...UNKNOWN };
    const { delayNs, terms, localNs, placedNs } = result.delay;
    const predictedNs = nativeNs + delayNs;
    const poolBytes = pools.map(bytesOf);
    const { residual } = result;
    return { index, line, phase, nativeNs, predictedNs, delayNs, localNs, placedNs, terms, poolBytes, residual };
  });
  return `${[head, ...lines].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

export function timelineOf({ placed, results }: Replay): TimelineEpoch[] {
  return placed.map(({ epoch, pools }, i) => ({
    nativeNs: epoch.nativeNs,
    delay: results[i]?.delay ?? null,
    poolBytes: results[i] ? pools.map(bytesOf) : null,
  }));
}
