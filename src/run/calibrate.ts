// `calibrate`: measures what the delay model must know of this host, in rounds that are spread over the run so that the best
// of each figure counts. Memory, rates and clock are handed in; nothing here needs Node.

import type { BandwidthPoint, Calibration, ChasePoint, LoadedPoint, TranslationPoint } from "../core/calibration.js";
import { STEPS_PER_PIECE } from "../core/clock.js";
import { COMPUTE_FAMILIES, type ComputeFamily, type HostProfile, sealProfile } from "../core/host.js";
import type { CalibrationMemory, PressureKind } from "../core/ports.js";
import type { Environment } from "../core/result.js";
import type { HostName } from "../core/target.js";
import { KIB, LINE_BYTES } from "../core/units.js";
import * as analysis from "./calibrate-analysis.js";
import {
  CHAINS,
  CHASE_BYTES,
  KINDS,
  type Latencies,
  LOADED_KINDS,
  latencyRound,
  measureBandwidth,
  measureLoaded,
  PAGES,
  PAUSES,
  STEP_BYTES,
  threadCounts,
} from "./calibrate-measure.js";
import { hostDoubts } from "./host-doubts.js";
import type { Progress } from "./parts.js";

const ROUNDS = 3;
const REPEAT_LIMIT_NS = 25e9;
/** Inside the second-level cache of any current core. */
const CACHED_BYTES = 256 * KIB;
/** Reads from cache must be this much faster before reads from memory count as bound by memory. */
const CLEARLY_FASTER = 1.3;
/** Clocks of pages step by this or more. */
const COARSE_NS = 1000;
const ADDERS_NS = [50, 100, 150, 200, 300, 400];

export interface CalibrateParts {
  /** What runs the measurement. */
  readonly host: HostName;
  readonly memory: CalibrationMemory;
  readonly computeRate: (family: ComputeFamily) => Promise<number | null>;
  readonly fallback: HostProfile;
  readonly environment: Environment;
  readonly clock: { nowNs(): number };
  readonly startedAt: string;
  readonly progress: (progress: Progress) => void;
}

async function measureRates(parts: CalibrateParts, tick: () => void): Promise<HostProfile["computeRates"]> {
  const rates = { ...parts.fallback.computeRates };
  for (const family of COMPUTE_FAMILIES) rates[family] = (await parts.computeRate(family)) ?? rates[family];
  tick();
  return rates;
}

function peakOf(points: readonly BandwidthPoint[], kind: PressureKind): BandwidthPoint {
  const total = ({ readGBps, writtenGBps }: BandwidthPoint) => readGBps + writtenGBps;
  return points.filter((point) => point.kind === kind).reduce((a, b) => (total(b) > total(a) ? b : a));
}

/** Translation: what one line a page costs more than the same number of lines side by side. */
function translationOf({ pagesNs, linesNs }: Latencies): TranslationPoint[] {
  return PAGES.map((pages, i) => ({ pages, ns: Math.max(0, (pagesNs[i] as number) - (linesNs[i] as number)) }));
}

/** Everything that is drawn from the measurements. */
function calibrationOf(
  parts: CalibrateParts,
  found: { latencies: Latencies; bandwidth: readonly BandwidthPoint[]; raw: readonly Omit<LoadedPoint, "kept">[] },
  computeRates: HostProfile["computeRates"],
  cacheGBps: number,
  startNs: number,
): Calibration {
  const { latencies, bandwidth, raw } = found;
  const { dramNs } = latencies;
  const chase: readonly ChasePoint[] = latencies.chase;
  const coreGBps = bandwidth.find(({ kind, threads }) => kind === "read" && threads === 1)?.readGBps ?? 0;
  const readGBps = Math.max(peakOf(bandwidth, "read").readGBps, coreGBps);
  const store = peakOf(bandwidth, "store");
  const writeGBps = peakOf(bandwidth, "fill").writtenGBps;
  const mixedGBps = Math.min(store.readGBps + store.writtenGBps, 2 * Math.min(readGBps, writeGBps));
  const loaded = LOADED_KINDS.flatMap((kind) => analysis.monotoneCurve(raw.filter((point) => point.kind === kind)));
  const reads = loaded.filter(({ kind }) => kind === "read");
  const { curve, queueNs, reached } = analysis.loadedCurve(reads, readGBps);
  const load = { idleNs: dramNs, queueNs, peakGBps: readGBps };
  const chains = CHAINS.map((count, i) => analysis.chainPoint(count, latencies.stepNs[i] as number, load));
  const streamNs = analysis.loadedNs(dramNs, queueNs, coreGBps, readGBps);
  const stream = Math.max(1, (coreGBps * streamNs) / LINE_BYTES);
  const memoryBound = cacheGBps >= CLEARLY_FASTER * coreGBps;
  const profile = sealProfile({
    name: parts.host === "node" ? "calibrated" : `calibrated in ${parts.host}`,
    idleNs: dramNs,
    curve,
    queueNs,
    llcBytes: analysis.effectiveCache(chase, dramNs),
    linesInFlight: { chase: 1, stride: Math.max(...chains.map(({ linesInFlight }) => linesInFlight)), stream },
    ...{ readGBps, mixedGBps, writeGBps, computeRates, source: "measured" },
  });
  return {
    schemaVersion: 1,
    kind: "calibration",
    measuredAt: parts.startedAt,
    seconds: (parts.clock.nowNs() - startNs) / 1e9,
    environment: parts.environment,
    clockStepNs: parts.memory.clockStepNs,
    ...{ profile, chase, translation: translationOf(latencies), levels: analysis.cacheLevels(chase, dramNs) },
    ...{ chains, bandwidth, loaded },
    far: {
      ...{ memoryBound, cacheGBps },
      points: analysis.farBandwidth(stream, streamNs, cacheGBps, memoryBound, ADDERS_NS),
    },
    notes: notesOf(parts, profile, loaded, reached),
  };
}

function notesOf(
  { memory }: CalibrateParts,
  profile: HostProfile,
  loaded: readonly LoadedPoint[],
  reached: boolean,
): string[] {
  const notes = hostDoubts(profile).map((doubt) => `Doubtful, a neighbour may have disturbed it: ${doubt}`);
  const dropped = loaded.filter(({ kept }) => !kept).length;
  if (loaded.length === 0) notes.push("No loaded latency: it needs a second core and shared memory");
  else if (profile.curve.length === 0) {
    notes.push("Too few cores to load the memory near its peak: latency under load is the fitted queue, not a curve");
  }
  if (loaded.length > 0 && !reached) {
    notes.push("The load stayed far below the peak (other programs had the cores): latency under load is left out");
  }
  if (dropped > 0)
    notes.push(`${dropped} of ${loaded.length} loaded points are repeated or disturbed and not on the curve`);
  if (memory.clockStepNs >= COARSE_NS) {
    const step = `${Number((memory.clockStepNs / 1000).toPrecision(2))} us`;
    notes.push(`The clock here steps by ${step}: what is timed was lengthened to ${STEPS_PER_PIECE} steps or more`);
  }
  if (memory.threads < 2) notes.push("The peak is what one thread reaches, a lower bound");
  return notes;
}

function fasterOf(first: readonly BandwidthPoint[], second: readonly BandwidthPoint[]): BandwidthPoint[] {
  const total = ({ readGBps, writtenGBps }: BandwidthPoint) => readGBps + writtenGBps;
  return first.map((point, i) => (total(point) >= total(second[i]) ? point : second[i]));
}

/** Measures this host in about half a minute. */
export async function calibrate(parts: CalibrateParts): Promise<Calibration> {
  const { memory, environment, clock } = parts;
  const startNs = clock.nowNs();
  const counts = threadCounts(memory.threads).length * KINDS.length;
  const perRound = CHASE_BYTES.length + PAGES.length + 1;
  const total = ROUNDS * perRound + 2 * counts + LOADED_KINDS.length * PAUSES.length + 1;
  let done = 0;
  const tick = () => parts.progress({ stage: "calibrating", done: ++done, total });
  // What is measured again only sharpens: on a machine too busy for it, the first rounds must do.
  const inTime = () => clock.nowNs() - startNs < REPEAT_LIMIT_NS;
  let latencies = await latencyRound(memory, null, tick);
  let bandwidth = await measureBandwidth(memory, tick);
  const raw = await measureLoaded(memory, environment.cores, tick);
  const cacheSteps = await memory.coreStepsPerSecond("read", CACHED_BYTES);
  const rates = await measureRates(parts, tick);
  for (let round = 1; round < ROUNDS && inTime(); round++) {
    latencies = await latencyRound(memory, latencies, tick);
    if (round === 1) bandwidth = fasterOf(bandwidth, await measureBandwidth(memory, tick));
  }
  return calibrationOf(parts, { latencies, bandwidth, raw }, rates, (cacheSteps * STEP_BYTES) / 1e9, startNs);
}
