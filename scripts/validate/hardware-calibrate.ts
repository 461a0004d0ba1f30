// Calibrates what the hardware validation predicts from, on footprints and loads of its own: 16 KiB, 256 KiB and the whole
// pool, and pauses of the co-runner that no predicted case uses. Best of a few rounds.

import type { LoadedPoint } from "../../src/core/calibration.js";
import { UnavailableError } from "../../src/core/errors.js";
import type { CurvePoint } from "../../src/core/host.js";
import { LINE_BYTES, MIB } from "../../src/core/units.js";
import { monotoneCurve } from "../../src/run/calibrate-analysis.js";
import * as beds from "./hardware-bed.js";
import { cachedNs, lowerQuartile, measurePair, steady, timed, withCoRunner } from "./hardware-measure.js";
import type { HardwareFigures, PacePoint } from "./hardware-predict.js";

type Bed = beds.HardwareBed;

/** 16 KiB. */
const SMALL_LINES = 128;
/** Lines and strides of 256, 768 and 1536 KiB. */
const CACHE_SHAPES = [
  [2048, 128],
  [4096, 192],
  [8192, 192],
] as const;
const CACHE_BYTES = 256 * 1024;
const JOIN_BITS = 11;
/** 2 MiB: a table in DRAM. */
const DRAM_JOIN_BITS = 14;
/** Two threads that read less than this share of twice one thread's bandwidth have met the memory's peak. */
const SATURATED = 0.9;
/** Stands for an unknown peak, over what two threads read. */
const UNKNOWN_PEAK = 4;
/** Chains that no predicted case uses. */
const CALIBRATED_CHAINS = [3, 6, 12, 16, 24, 32];
const PAUSES = [4000, 1500, 500, 200, 60, 0];
const CHASE_LOADS = 3000;
const STREAM_STEPS = 256;
/** Matrices in cache: not a predicted shape. */
const GEMV = { rows: 384, cols: 1536 };
const ROUNDS = 3;
const PIECES = 40;

export const rateName = (activations: string, group: number) => `${activations} g${group}`;

/** Keys fall on buckets at random: m probes of m buckets touch m (1 - (1 - 1/m)^m) of them. */
export const distinctBuckets = (buckets: number): number => buckets * (1 - (1 - 1 / buckets) ** buckets);

/** A chase over `lines` lines (a power of two) in blocks: ns a step, and one run of it. */
function openChase(bed: Bed, lines: number, strideBytes: number, block: number) {
  const { kernels, memory, stateAt, pool } = bed;
  kernels.linkChase(pool, lines, strideBytes, block);
  let turn = 0;
  return (chains: number, pieces: number): number => {
    const steps = Math.round(CHASE_LOADS / chains);
    turn += 7 * 2 ** 15 + 7919;
    const starts = Array.from({ length: chains }, (_, i) => (Math.floor((lines * i) / chains) + turn) % lines);
    new Uint32Array(memory.buffer, stateAt, chains).set(starts.map((line) => pool + line * strideBytes));
    const run = () => kernels.chains(stateAt, chains, steps);
    run();
    return lowerQuartile(Array.from({ length: pieces }, () => timed(bed, run))) / steps;
  };
}

/** Blocks of 4 MiB, so that few of its loads walk pages. */
function openPoolChase(bed: Bed) {
  const lines = 2 ** Math.floor(Math.log2(beds.POOL_BYTES / beds.STRIDE_BYTES));
  return openChase(bed, lines, beds.STRIDE_BYTES, (4 * MIB) / beds.STRIDE_BYTES);
}

/** Plain reads of one core over an area, round and round; GB/s. */
function openReads(bed: Bed, bytes: number, area: number) {
  const { kernels, stateAt } = bed;
  let offset = 0;
  const run = () => {
    offset = kernels.press(0, area, bytes, offset, STREAM_STEPS, 0, stateAt) >>> 0;
  };
  return () => {
    run();
    const ns = lowerQuartile(Array.from({ length: PIECES }, () => timed(bed, run)));
    return (STREAM_STEPS * beds.STEP_BYTES) / ns;
  };
}

const KERNELS = (["int8", "f32"] as const).flatMap((activations) =>
  ([32, 128] as const).map((group) => ({ ...GEMV, activations, group })),
);

function inCache(bed: Bed) {
  const rates = KERNELS.map((shape): [string, number] => {
    const ns = cachedNs(bed, beds.gemvProgram(bed, shape), 2 * PIECES);
    return [rateName(shape.activations, shape.group), (shape.rows * shape.cols * 1e9) / ns];
  });
  return {
    cache: CACHE_SHAPES.map(([lines, stride]) => ({
      bytes: lines * stride,
      ns: openChase(bed, lines, stride, lines)(1, 4 * PIECES),
    })),
    chainNs: openChase(bed, SMALL_LINES, beds.STRIDE_BYTES, SMALL_LINES)(16, 4 * PIECES) / 16,
    probeNs: cachedNs(bed, beds.joinProgram(bed, JOIN_BITS, 2 ** JOIN_BITS), 2 * PIECES) / 2 ** JOIN_BITS,
    cacheGBps: openReads(bed, CACHE_BYTES, bed.pool)(),
    macRates: Object.fromEntries(rates),
  };
}

/** Best of two rounds: latencies and times by the smaller, rates by the larger. */
function better(a: ReturnType<typeof inCache>, b: ReturnType<typeof inCache>): ReturnType<typeof inCache> {
  const rates = Object.entries(a.macRates).map(([name, rate]) => [name, Math.max(rate, b.macRates[name] ?? 0)]);
  return {
    cache: a.cache.map(({ bytes, ns }, i) => ({ bytes, ns: Math.min(ns, b.cache[i]?.ns ?? ns) })),
    chainNs: Math.min(a.chainNs, b.chainNs),
    probeNs: Math.min(a.probeNs, b.probeNs),
    cacheGBps: Math.max(a.cacheGBps, b.cacheGBps),
    macRates: Object.fromEntries(rates),
  };
}

/** Lines in flight of each kernel over fresh buffers of the calibrated footprint, by Little's law. */
function ownLines(bed: Bed, inFlight: (gbps: number) => number): Record<string, number> {
  const measured = (program: beds.Program, lines: number) =>
    inFlight((lines * LINE_BYTES) / measurePair(bed, program, 2 * ROUNDS).farNs);
  const products = KERNELS.map((shape): [string, number] => [
    rateName(shape.activations, shape.group),
    measured(beds.gemvProgram(bed, shape), beds.matrixBytes(shape) / LINE_BYTES),
  ]);
  const buckets = 2 ** DRAM_JOIN_BITS;
  const join = measured(beds.joinProgram(bed, DRAM_JOIN_BITS, buckets), distinctBuckets(buckets));
  return { ...Object.fromEntries(products), join };
}

const noCore = () =>
  new UnavailableError("the co-runner", "other programs left it no core of its own", "Run again on a quieter machine");

/** Latency that a load adds, between the points of a curve. */
function addedAt(curve: readonly CurvePoint[], gbps: number): number {
  const above = curve.findIndex((point) => point.bandwidthGBps >= gbps);
  const high = curve[above < 0 ? curve.length - 1 : above] as CurvePoint;
  const low = curve[above - 1];
  if (above <= 0 || !low) return high.addedNs;
  const part = (gbps - low.bandwidthGBps) / (high.bandwidthGBps - low.bandwidthGBps);
  return low.addedNs + part * (high.addedNs - low.addedNs);
}

/** Latency beside each calibrated load, and the co-runner's pace there. */
async function loadedPoints(bed: Bed, kinds: readonly ("read" | "store")[]) {
  const chase = openPoolChase(bed);
  chase(1, 1);
  return withCoRunner(bed, (co) => {
    const points: Omit<LoadedPoint, "kept">[] = [];
    const pace: Record<"read" | "store", PacePoint[]> = { read: [], store: [] };
    for (const kind of kinds) {
      for (const pause of PAUSES) {
        co.set(kind, pause);
        const found = steady(co.beside(4 * PIECES, () => bed.kernels.chains(bed.stateAt, 1, CHASE_LOADS)));
        if (found.stepsPerSecond === 0) throw noCore();
        const ns = found.ns / CHASE_LOADS;
        const gbps = ((kind === "store" ? 2 : 1) * beds.STEP_BYTES * found.stepsPerSecond) / 1e9;
        points.push({ kind, gbps: gbps + LINE_BYTES / ns, ns });
        pace[kind].push({ pause, stepNs: 1e9 / found.stepsPerSecond });
      }
    }
    co.set("read", 0);
    let offset = 0;
    const own = steady(
      co.beside(4 * PIECES, () => {
        offset = bed.kernels.press(0, bed.pool, beds.POOL_BYTES, offset, STREAM_STEPS, 0, bed.stateAt) >>> 0;
      }),
    );
    const both = (STREAM_STEPS * beds.STEP_BYTES) / own.ns + (beds.STEP_BYTES * own.stepsPerSecond) / 1e9;
    return { points, pace, both };
  });
}

/** The loaded-latency curve and the peak. Where two threads do not fill the memory, the curve goes on flat and there is no limit. */
function memoryOf(points: readonly Omit<LoadedPoint, "kept">[], dramNs: number, dramGBps: number, both: number) {
  const alone = { kind: "read", gbps: LINE_BYTES / dramNs, ns: dramNs } as const;
  const loaded = monotoneCurve([alone, ...points.filter(({ kind }) => kind === "read")]);
  const curve = loaded
    .filter(({ kept }) => kept)
    .map(({ gbps, ns }) => ({ bandwidthGBps: gbps, addedNs: Math.max(0, ns - dramNs) }));
  const isFull = both < SATURATED * 2 * dramGBps;
  const peakGBps = isFull ? Math.max(both, dramGBps) : UNKNOWN_PEAK * both;
  const last = curve.at(-1) ?? { bandwidthGBps: 0, addedNs: 0 };
  const beyond = last.bandwidthGBps < peakGBps ? [{ bandwidthGBps: peakGBps, addedNs: last.addedNs }] : [];
  return { loaded, curve: [...curve, ...beyond], peakGBps };
}

/** Measures this host in about half a minute. */
export async function calibrateHardware(
  bed: Bed,
): Promise<HardwareFigures & { readonly loaded: readonly LoadedPoint[] }> {
  let cached = inCache(bed);
  for (let round = 1; round < ROUNDS; round++) cached = better(cached, inCache(bed));
  const chase = openPoolChase(bed);
  const rounds = (measure: () => number, best: (...values: number[]) => number) =>
    best(...Array.from({ length: ROUNDS }, measure));
  const dramNs = rounds(() => chase(1, PIECES), Math.min);
  const steps = CALIBRATED_CHAINS.map((chains) => ({ chains, ns: rounds(() => chase(chains, PIECES), Math.min) }));
  const dramGBps = rounds(openReads(bed, beds.AREA_BYTES, bed.area), Math.max);
  const { points, pace, both } = await loadedPoints(bed, ["read", "store"]);
  const { loaded, curve, peakGBps } = memoryOf(points, dramNs, dramGBps, both);
  const inFlight = (gbps: number) => (gbps * (dramNs + addedAt(curve, gbps))) / LINE_BYTES;
  return {
    ...cached,
    ...{ dramNs, dramGBps, bothGBps: both, peakGBps, curve, pace, loaded, ownLines: ownLines(bed, inFlight) },
    strideLines: Math.max(...steps.map(({ chains, ns }) => inFlight((chains * LINE_BYTES) / ns))),
    streamLines: inFlight(dramGBps),
  };
}
