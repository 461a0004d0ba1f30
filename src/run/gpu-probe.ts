// A GPU's own profile in about two seconds: how long one read takes, how much it reads, how large its last cache is and what a
// dispatch costs. Nothing of the CPU's goes into it.

import { COMPUTE_FAMILIES, type ComputeFamily, type GpuProfile, type HostProfile, sealProfile } from "../core/host.js";
import type { GpuProbe } from "../core/ports.js";
import { LINE_BYTES } from "../core/units.js";
import { cacheKnee } from "./probe.js";

const LEAST_BYTES = 2 ** 18;
const MOST_BYTES = 2 ** 28;
const ROUNDS = 3;

export interface GpuProbeParts {
  readonly adapter: string;
  readonly probe: GpuProbe;
  /** Largest buffer that the device binds. */
  readonly maxBytes: number;
  /** Multiply-accumulates a second of one family, the dispatches' own time left out. */
  computeRate(family: ComputeFamily, dispatchNs: number): Promise<number>;
  /** The frozen profile of a GPU: its shares of reads and writes stand for this one's. */
  readonly fallback: HostProfile;
}

/** The least of a few. */
async function least(measure: () => Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await measure());
  return best;
}

/** Buffers of a chase, doubling up to the largest. */
function sizesUpTo(maxBytes: number): number[] {
  const most = 2 ** Math.floor(Math.log2(Math.min(maxBytes, MOST_BYTES)));
  const count = Math.max(0, Math.log2(most / LEAST_BYTES));
  return [...Array.from({ length: count }, (_, i) => LEAST_BYTES * 2 ** i), most];
}

/**
 * Measures a GPU. Lines in flight follow Little's law (bandwidth x latency / 64): a GPU keeps as many as its bandwidth needs,
 * whatever the pattern, but for a chase. The cache is the largest buffer that a chase is not yet at the memory's latency in.
 */
export async function probeGpu({
  adapter,
  probe,
  maxBytes,
  computeRate,
  fallback,
}: GpuProbeParts): Promise<GpuProfile> {
  const sizes = sizesUpTo(maxBytes);
  const steps: { bytes: number; ns: number }[] = [];
  for (const bytes of sizes) steps.push({ bytes, ns: await probe.chaseNs(bytes) });
  const largest = sizes.at(-1) as number;
  const idleNs = Math.max(1, ...steps.slice(-1).map(({ ns }) => ns));
  const readGBps = largest / (await least(() => probe.readNs(largest)));
  const dispatchNs = await probe.dispatchNs();
  const computeRates: Record<string, number> = {};
  for (const family of COMPUTE_FAMILIES) computeRates[family] = await computeRate(family, dispatchNs);
  const lines = Math.max(1, (readGBps * idleNs) / LINE_BYTES);
  const host = sealProfile({
    name: `probe of ${adapter}`,
    idleNs,
    curve: [],
    queueNs: 0,
    llcBytes: cacheKnee(steps, idleNs),
    linesInFlight: { chase: 1, stride: lines, stream: lines },
    readGBps,
    mixedGBps: (readGBps * fallback.mixedGBps) / fallback.readGBps,
    writeGBps: (readGBps * fallback.writeGBps) / fallback.readGBps,
    computeRates: computeRates as HostProfile["computeRates"],
    source: "measured",
  });
  return { adapter, host, dispatchNs };
}
