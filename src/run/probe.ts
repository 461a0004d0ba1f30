// The two-second host probe: measures what the delay model must know of this machine's memory and cores, with functions
// handed in by the entry point. It serves *predicted* figures only; modelled ones use the frozen default profile.

import { COMPUTE_FAMILIES, type ComputeFamily, type HostProfile, sealProfile } from "../core/host.js";
import type { ChaseShape, MemoryProbe } from "../core/ports.js";
import { LINE_BYTES, MIB } from "../core/units.js";
import { hostDoubts } from "./host-doubts.js";

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
/** A second-level translation cache covers a block, so page walks (a machine's, not a memory's cost) hardly count. */
const BLOCK_BYTES = 4 * MIB;
/** Every second line: the one between comes with a prefetch of pairs, and would look like a fast memory. */
const MEMORY_SHAPE: ChaseShape = { strideBytes: 2 * LINE_BYTES, blockBytes: BLOCK_BYTES };
/** All lines, so that a buffer fills as much of a cache as it is long. */
const CACHE_SHAPE: ChaseShape = { strideBytes: LINE_BYTES, blockBytes: BLOCK_BYTES };
/** Rounds are spread over the probe's time, and the best of each figure counts: neighbours come and go. */
const ROUNDS = 2;
const MOST_ROUNDS = 3;

/** A buffer whose chase takes this share of DRAM's time or more lies in DRAM for the most part. */
const DRAM_LIKE = 0.75;

/** Effective cache: the largest buffer that is clearly faster to chase through than DRAM, 0 when none is. */
export function cacheKnee(steps: readonly { bytes: number; ns: number }[], dramNs: number): number {
  const inside = steps.filter((step) => step.ns < DRAM_LIKE * dramNs);
  return inside.reduce((largest, step) => Math.max(largest, step.bytes), 0);
}

/** What one round measures; smaller is better but for bandwidths. */
interface Round {
  readonly idleNs: number;
  readonly chainsNs: number;
  readonly coreGBps: number;
  readonly togetherGBps: number;
  /** Chase through a buffer of all lines in DRAM, and through each of KNEE_BYTES. */
  readonly denseNs: number;
  readonly kneeNs: readonly number[];
}

async function measureRound({ memory, threads }: ProbeParts): Promise<Round> {
  const idleNs = await memory.measureChaseNs(DRAM_BYTES, 1, MEMORY_SHAPE);
  const chainsNs = await memory.measureChaseNs(DRAM_BYTES, CHAINS, MEMORY_SHAPE);
  const oneStream = await memory.measureReadGBps(DRAM_BYTES, 1, 1);
  const coreGBps = Math.max(oneStream, await memory.measureReadGBps(DRAM_BYTES, STREAMS, 1));
  const togetherGBps = threads > 1 ? await memory.measureReadGBps(DRAM_BYTES, STREAMS, threads) : coreGBps;
  const denseNs = await memory.measureChaseNs(DRAM_BYTES, 1, CACHE_SHAPE);
  const kneeNs: number[] = [];
  for (const bytes of KNEE_BYTES) kneeNs.push(await memory.measureChaseNs(bytes, 1, CACHE_SHAPE));
  return { idleNs, chainsNs, coreGBps, togetherGBps, denseNs, kneeNs };
}

function bestOf(a: Round, b: Round): Round {
  return {
    idleNs: Math.min(a.idleNs, b.idleNs),
    chainsNs: Math.min(a.chainsNs, b.chainsNs),
    coreGBps: Math.max(a.coreGBps, b.coreGBps),
    togetherGBps: Math.max(a.togetherGBps, b.togetherGBps),
    denseNs: Math.min(a.denseNs, b.denseNs),
    kneeNs: a.kneeNs.map((ns, i) => Math.min(ns, b.kneeNs[i])),
  };
}

type Rates = HostProfile["computeRates"];

/** Rates of the families that have a kernel here, and never less than `before`. */
async function measureRates({ computeRate, fallback }: ProbeParts, before: Partial<Rates>): Promise<Rates> {
  const rates = { ...fallback.computeRates };
  for (const family of COMPUTE_FAMILIES) {
    const rate = await computeRate(family);
    if (rate !== null) rates[family] = Math.max(rate, before[family] ?? 0);
  }
  return rates;
}

function profileOf(round: Round, { fallback, toldLlcBytes }: ProbeParts, computeRates: Rates) {
  const { idleNs, chainsNs, coreGBps, togetherGBps, denseNs, kneeNs } = round;
  const knee = cacheKnee(
    kneeNs.map((ns, i) => ({ bytes: KNEE_BYTES[i], ns })),
    denseNs,
  );
  const readGBps = Math.max(coreGBps, togetherGBps);
  return sealProfile({
    name: "probe",
    idleNs,
    curve: [],
    queueNs: 0,
    llcBytes: toldLlcBytes === null ? knee : Math.min(knee, toldLlcBytes),
    linesInFlight: {
      chase: 1,
      stride: Math.max(1, (CHAINS * idleNs) / chainsNs),
      stream: Math.max(1, (coreGBps * idleNs) / LINE_BYTES),
    },
    readGBps,
    mixedGBps: (readGBps * fallback.mixedGBps) / fallback.readGBps,
    writeGBps: (readGBps * fallback.writeGBps) / fallback.readGBps,
    computeRates,
    source: "measured",
  });
}

/**
 * Measures this host in two rounds, and a third one when the figures are not plausible. Lines in flight follow Little's
 * law, bandwidth x latency / 64. The peak is what the given threads reach together, a lower bound where they are few; how
 * latency rises with load takes more than two seconds to measure (`nibblemark calibrate`), so the queue parameter is 0
 * and the model gives back the measured rate of one core.
 */
export async function probeHost(parts: ProbeParts): Promise<HostProfile> {
  let best = await measureRound(parts);
  let computeRates = await measureRates(parts, {});
  for (let round = 1; round < MOST_ROUNDS; round++) {
    if (round >= ROUNDS && hostDoubts(profileOf(best, parts, computeRates)).length === 0) break;
    best = bestOf(best, await measureRound(parts));
    computeRates = await measureRates(parts, computeRates);
  }
  return profileOf(best, parts, computeRates);
}
