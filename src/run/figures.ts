// The figures of one measured case, each with its unit and origin.

import type { ReadBandwidth } from "../core/result.js";
import { weightBytesRead } from "../core/traffic.js";
import type { Figure, FigureSource } from "../core/units.js";
import type { CaseArm } from "./arms.js";
import type { RecordedEpoch } from "./epochs.js";
import type { Statistics } from "./parts.js";

const figure = (value: number, unit: string, source: FigureSource = "measured"): Figure => ({ value, unit, source });

/** Best plain WASM read with at most the target's threads; null when it was not measured. */
function bestRead(bandwidth: readonly ReadBandwidth[], threads: number): number | null {
  const fitting = bandwidth.filter((entry) => entry.threads <= threads).map(({ gbps }) => gbps.value);
  return fitting.length > 0 ? Math.max(...fitting) : null;
}

/**
 * Median, MAD and interval of the time, and what follows from the median: tokens/s, and for decode the rate at which
 * weights are read (4.5 bits a weight at int4 g32, whatever is stored) with its share of the best plain read.
 */
export function caseFigures(
  arm: CaseArm,
  samplesNs: readonly number[],
  epochs: readonly RecordedEpoch[],
  bandwidth: readonly ReadBandwidth[],
  statistics: Statistics,
  peakMemoryBytes: number | null,
): Record<string, Figure> {
  const { median, mad, interval } = statistics.summarize(samplesNs);
  const figures: Record<string, Figure> = { medianNs: figure(median, "ns"), madNs: figure(mad, "ns") };
  if (interval) {
    figures.lowNs = figure(interval[0], "ns");
    figures.highNs = figure(interval[1], "ns");
  }
  if (arm.spec.kind === "first") figures.timeToFirstTokenNs = figure(median, "ns");
  if (arm.spec.kind === "prefill" || arm.spec.kind === "decode") {
    figures.tokensPerSecond = figure(arm.tokens / (median / 1e9), "t/s");
  }
  if (arm.spec.kind === "decode") {
    const bytes = epochs.reduce((sum, { ops }) => sum + weightBytesRead(ops, arm.subject.specs), 0);
    const gbps = bytes / median;
    figures.weightGBps = figure(gbps, "GB/s");
    const { backend, threads } = arm.subject.target;
    // A GPU has a memory of its own, which the plain WASM read says nothing of.
    const best = backend === "webgpu" ? null : bestRead(bandwidth, threads);
    if (best !== null) figures.readShare = figure(gbps / best, "share");
  }
  figures.residentBytes = figure(arm.subject.residentBytes(), "B");
  if (peakMemoryBytes !== null) figures.peakMemoryBytes = figure(peakMemoryBytes, "B");
  return figures;
}
