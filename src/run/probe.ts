// The two-second host probe: measures what the delay model must know of this machine's memory and cores, with functions
// handed in by the entry point. It serves *predicted* figures only; modelled ones use the frozen default profile.

import { COMPUTE_FAMILIES, type ComputeFamily, type HostProfile, sealProfile } from "../core/host.js";
import type { MemoryProbe } from "../core/ports.js";
import { LINE_BYTES, MIB } from "../core/units.js";

export interface ProbeParts {
  readonly memory: MemoryProbe;
  /** Multiply-accumulates a second of one core in a short kernel run, null where the family has no kernel here. */
  readonly computeRate: (family: ComputeFamily) => Promise<number | null>;
  /** Threads that the benchmark may use. */
  readonly threads: number;
  /** Last-level cache as the platform tells it, or null. A virtual machine may tell its host's whole cache. */
  readonly toldLlcBytes: number | null;
  /** The frozen default: its ratios of writes and mixes to reads, and the rates that could not be measured, are taken over. */
  readonly fallback: HostProfile;
}

/** Beyond any cache that one program has for itself, yet quick to fill. */
const DRAM_BYTES = 256 * MIB;
const KNEE_BYTES = [1, 2, 4, 8, 16, 32, 64, 128].map((mib) => mib * MIB);
/** Enough independent chains to fill a core's line buffers without help of a prefetcher. */
const CHAINS = 16;
/** Streams at which plain reads of one core are fastest. */
const STREAMS = 8;

/** A buffer whose chase takes this share of DRAM's time or more lies in DRAM for the most part. */
const DRAM_LIKE = 0.75;

/**
 * Effective cache: the largest buffer that is clearly faster to chase through than DRAM, 0 when none is. Page walks
 * make large buffers slower than their cache alone, so this errs to the small side where there are no huge pages.
 */
export function cacheKnee(steps: readonly { bytes: number; ns: number }[], dramNs: number): number {
  const inside = steps.filter((step) => step.ns < DRAM_LIKE * dramNs);
  return inside.reduce((largest, step) => Math.max(largest, step.bytes), 0);
}

async function measureKnee({ memory, toldLlcBytes }: ProbeParts, dramNs: number): Promise<number> {
  const steps: { bytes: number; ns: number }[] = [];
  for (const bytes of KNEE_BYTES) steps.push({ bytes, ns: await memory.measureChaseNs(bytes, 1) });
  const knee = cacheKnee(steps, dramNs);
  return toldLlcBytes === null ? knee : Math.min(knee, toldLlcBytes);
}

async function measureRates({ computeRate, fallback }: ProbeParts): Promise<Record<ComputeFamily, number>> {
  const rates = { ...fallback.computeRates };
  for (const family of COMPUTE_FAMILIES) rates[family] = (await computeRate(family)) ?? rates[family];
  return rates;
}

/**
 * Measures this host. Lines in flight follow Little's law, bandwidth x latency / 64. The peak is what the given threads
 * reach together, a lower bound where they are few; how latency rises with load takes more than two seconds to measure,
 * so the queue parameter is 0 and the model gives back the measured rate of one core.
 */
export async function probeHost(parts: ProbeParts): Promise<HostProfile> {
  const { memory, threads, fallback } = parts;
  const idleNs = await memory.measureChaseNs(DRAM_BYTES, 1);
  const stepNs = await memory.measureChaseNs(DRAM_BYTES, CHAINS);
  const oneStream = await memory.measureReadGBps(DRAM_BYTES, 1, 1);
  const oneCore = Math.max(oneStream, await memory.measureReadGBps(DRAM_BYTES, STREAMS, 1));
  const together = threads > 1 ? await memory.measureReadGBps(DRAM_BYTES, STREAMS, threads) : oneCore;
  const readGBps = Math.max(oneCore, together);
  return sealProfile({
    name: "probe",
    idleNs,
    curve: [],
    queueNs: 0,
    llcBytes: await measureKnee(parts, idleNs),
    linesInFlight: {
      chase: 1,
      stride: Math.max(1, (CHAINS * idleNs) / stepNs),
      stream: Math.max(1, (oneCore * idleNs) / LINE_BYTES),
    },
    readGBps,
    mixedGBps: (readGBps * fallback.mixedGBps) / fallback.readGBps,
    writeGBps: (readGBps * fallback.writeGBps) / fallback.readGBps,
    computeRates: await measureRates(parts),
    source: "measured",
  });
}
