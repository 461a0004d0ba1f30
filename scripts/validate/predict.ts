// Predicts one loaded-latency curve from others with the epoch module's own interpolation: what is left of a path is fitted
// as a profile, and the module tells the latency at each load.

import type { MixCurve } from "../../src/core/host.js";
import { sealProfile } from "../../src/core/host.js";
import type { FarPool, Topology } from "../../src/core/topology.js";
import { fitQueueNs, type ReducedCurve } from "../../src/delay/curves.js";
import type { RawCurve } from "../../src/delay/mlc.js";
import { type EpochExports, setMachine } from "../../src/delay/solver.js";

export interface Fitted {
  readonly raw: RawCurve;
  readonly reduced: ReducedCurve;
}

/** Predicted peak and latency at a total bandwidth. */
export interface Prediction {
  readonly peakGBps: number;
  readonly idleNs: number;
  latencyNs(bandwidthGBps: number): number;
}

const middle = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** GB/s at a share of writes: the cost of a byte is linear between the mixes that are known, flat outside. */
function peakAt(family: readonly MixCurve[], share: number): number {
  const cost = (mix: MixCurve) => 1 / (mix.points.at(-1)?.bandwidthGBps ?? 1);
  const above = family.findIndex(({ writeShare }) => writeShare >= share);
  const high = family[above < 0 ? family.length - 1 : above] as MixCurve;
  const low = family[Math.max(0, above - 1)] as MixCurve;
  if (above <= 0 || high.writeShare === share) return 1 / cost(high);
  const part = (share - low.writeShare) / (high.writeShare - low.writeShare);
  return 1 / (cost(low) + part * (cost(high) - cost(low)));
}

const HOST = sealProfile({
  ...{ name: "none", idleNs: 0, readGBps: 1, mixedGBps: 1, writeGBps: 1, curve: [], queueNs: 0, llcBytes: 0 },
  linesInFlight: { chase: 1, stride: 1, stream: 1 },
  computeRates: { "int4-int8": 1, "int4-f32": 1, int8: 1, f32: 1, attention: 1, elementwise: 1 },
  source: "assumed",
});

/** A machine of one pool under test; the module holds one at a time. */
function onePool(epoch: EpochExports, fields: Omit<FarPool, "kind" | "name" | "path" | "capacityBytes">): void {
  const pool: FarPool = { kind: "far", name: "x", path: [], capacityBytes: 1, ...fields };
  const local = { kind: "local", name: "dram", capacityBytes: 1 } as const;
  const topology: Topology = {
    ...{ schemaVersion: 1, name: "validate", description: "", edges: [], defaultPlacement: [], origins: {} },
    pools: [local, pool],
  };
  setMachine(epoch, topology, HOST, 1);
}

function latencyAt(epoch: EpochExports, share: number): (bandwidthGBps: number) => number {
  return (bandwidthGBps) => epoch.latencyNs(1, bandwidthGBps * (1 - share), bandwidthGBps * share);
}

/** From other curves of the same path: the family is interpolated in load and in mix. */
export function fromFamily(epoch: EpochExports, known: readonly Fitted[], share: number): Prediction {
  const family = known
    .map(({ raw, reduced }): MixCurve => ({ writeShare: raw.writeShare, points: reduced.points }))
    .sort((a, b) => a.writeShare - b.writeShare);
  const idleNs = mean(known.map(({ reduced }) => reduced.idleNs));
  const rates = { readGBps: peakAt(family, 0), mixedGBps: peakAt(family, 0.5), writeGBps: peakAt(family, 1) };
  const peakGBps = peakAt(family, share);
  // the module's three rates cannot hold every peak: at this share the cost is set to the family's own
  const exact = { readGBps: peakGBps, mixedGBps: peakGBps, writeGBps: peakGBps };
  const [first, ...others] = family;
  const curve = first?.points ?? [];
  const mixCurves = first && first.writeShare > 0 ? family : others;
  const adders = { readAdderNs: idleNs, writeAdderNs: idleNs, queueNs: 0 };
  onePool(epoch, { ...rates, ...exact, ...adders, curve, mixCurves });
  return { peakGBps, idleNs, latencyNs: latencyAt(epoch, share) };
}

/** From other paths: idle latency and peak are given (they stand in a data sheet), the shape is their queue over idle latency. */
export function fromPaths(
  epoch: EpochExports,
  known: readonly Fitted[],
  given: ReducedCurve,
  share: number,
): Prediction {
  const { idleNs, peakGBps } = given;
  const queueNs = idleNs * middle(known.map(({ reduced }) => fitQueueNs(reduced) / reduced.idleNs));
  const rates = { readGBps: peakGBps, mixedGBps: peakGBps, writeGBps: peakGBps };
  onePool(epoch, { ...rates, readAdderNs: idleNs, writeAdderNs: idleNs, queueNs, curve: [] });
  return { peakGBps, idleNs, latencyNs: latencyAt(epoch, share) };
}
