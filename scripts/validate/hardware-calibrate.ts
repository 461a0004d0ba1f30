// Calibrates what the hardware validation predicts from, on footprints and loads of its own: 16 KiB, 256 KiB and the whole
// pool, and pauses of the co-runner that no predicted case uses. Best of a few rounds.

import type { LoadedPoint } from "../../src/core/calibration.js";
import { UnavailableError } from "../../src/core/errors.js";
import type { CurvePoint } from "../../src/core/host.js";
import { LINE_BYTES, MIB } from "../../src/core/units.js";
import { monotoneCurve } from "../../src/run/calibrate-analysis.js";
import * as beds from "./hardware-bed.js";
import {
  type CoRunner,
  cachedNs,
  lowerQuartile,
  measurePair,
  type Piece,
  steady,
  timed,
  withCoRunner,
} from "./hardware-measure.js";
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
/** Tables in DRAM: one smaller and one larger than those predicted; their lines in flight differ, the mean counts. */
const DRAM_JOIN_BITS = [11, 14];
/** A stream that a second one lengthens by more than this has met the memory's peak. */
const SATURATED = 1.1;
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
  const gbps = () => {
    run();
    const ns = lowerQuartile(Array.from({ length: PIECES }, () => timed(bed, run)));
    return (STREAM_STEPS * beds.STEP_BYTES) / ns;
  };
  return { run, gbps };
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
    cacheGBps: openReads(bed, CACHE_BYTES, bed.pool).gbps(),
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

/** Lines that a join keeps in flight over fresh tables, by Little's law, and what a product waits for at each stream's start. */
function kernelsOf(bed: Bed, dramNs: number, inFlight: (gbps: number) => number) {
  const starts = KERNELS.map((shape): [string, number] => {
    const { nearNs, farNs } = measurePair(bed, beds.gemvProgram(bed, shape), 4 * ROUNDS);
    const waitNs = Math.max(0, farNs - nearNs) / (shape.rows / beds.STREAM_ROWS);
    return [rateName(shape.activations, shape.group), waitNs / dramNs];
  });
  const joins = DRAM_JOIN_BITS.map((bits) => {
    const { farNs } = measurePair(bed, beds.joinProgram(bed, bits, 2 ** bits), 4 * ROUNDS);
    return inFlight((distinctBuckets(2 ** bits) * LINE_BYTES) / farNs);
  });
  const join = joins.reduce((sum, lines) => sum + lines, 0) / joins.length;
  return { ownLines: { join }, startLines: Object.fromEntries(starts) };
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

/** A stream beside arithmetic and beside another stream, in turns, once the pool was read through: linking had left dirty lines. */
function readsBeside(co: CoRunner, run: () => void) {
  co.set("compute", 1000);
  co.beside(beds.POOL_BYTES / (STREAM_STEPS * beds.STEP_BYTES), run);
  const found = { compute: [] as Piece[], read: [] as Piece[] };
  for (let round = 0; round < 4 * ROUNDS; round++) {
    for (const kind of ["compute", "read"] as const) {
      co.set(kind, kind === "read" ? 0 : 1000);
      run();
      found[kind].push(...co.beside(PIECES, run));
    }
  }
  return [steady(found.compute), steady(found.read)] as const;
}

/** Latency beside each calibrated load, and the co-runner's pace there. */
async function loadedPoints(bed: Bed, kinds: readonly ("read" | "store")[]) {
  const reads = openReads(bed, beds.POOL_BYTES, bed.pool);
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
    const [own, ownBeside] = readsBeside(co, reads.run);
    const both = (STREAM_STEPS * beds.STEP_BYTES) / ownBeside.ns + (beds.STEP_BYTES * ownBeside.stepsPerSecond) / 1e9;
    return { points, pace, both, isFull: ownBeside.ns > SATURATED * own.ns };
  });
}

/** The loaded-latency curve and the peak. Where two threads do not slow each other, the curve goes on flat and there is no limit. */
function memoryOf(points: readonly Omit<LoadedPoint, "kept">[], dramNs: number, both: number, isFull: boolean) {
  const alone = { kind: "read", gbps: LINE_BYTES / dramNs, ns: dramNs } as const;
  const loaded = monotoneCurve([alone, ...points.filter(({ kind }) => kind === "read")]);
  const curve = loaded
    .filter(({ kept }) => kept)
    .map(({ gbps, ns }) => ({ bandwidthGBps: gbps, addedNs: Math.max(0, ns - dramNs) }));
  const peakGBps = isFull ? both : UNKNOWN_PEAK * both;
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
  const dramGBps = rounds(openReads(bed, beds.AREA_BYTES, bed.area).gbps, Math.max);
  const { points, pace, both, isFull } = await loadedPoints(bed, ["read", "store"]);
  const { loaded, curve, peakGBps } = memoryOf(points, dramNs, both, isFull);
  const inFlight = (gbps: number) => (gbps * (dramNs + addedAt(curve, gbps))) / LINE_BYTES;
  return {
    ...cached,
    ...{ dramNs, dramGBps, bothGBps: both, peakGBps, curve, pace, loaded, ...kernelsOf(bed, dramNs, inFlight) },
    strideLines: Math.max(...steps.map(({ chains, ns }) => inFlight((chains * LINE_BYTES) / ns))),
    streamLines: inFlight(dramGBps),
  };
}
