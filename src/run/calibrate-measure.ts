// The measurements of a calibration: each asks the memory for points, and keeps the best over rounds.

import type { BandwidthPoint, LoadedPoint } from "../core/calibration.js";
import type { CalibrationMemory, ChaseShape, PressureKind } from "../core/ports.js";
import { KIB, LINE_BYTES, MIB } from "../core/units.js";

export const CHASE_BYTES = Array.from({ length: 15 }, (_, i) => 16 * KIB * 2 ** i);
const NEAR_BLOCK = 4 * MIB;
export const PAGES = [64, 256, 1024, 2048, 4096, 8192, 16384, 32768];
export const CHAINS = [1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32];
export const KINDS: readonly PressureKind[] = ["read", "store", "copy", "fill"];
export const LOADED_KINDS: readonly PressureKind[] = ["read", "store"];
/** Multiplications between 4 KiB of one thread: from about 1 GB/s to all it can. */
export const PAUSES = [4000, 2000, 1000, 600, 400, 250, 150, 80, 40, 0];
export const STEP_BYTES = 4096;
/** Bytes that a step moves at the memory: [read, written]. Stores and copies fetch what they write. */
const MOVED: Readonly<Record<PressureKind, readonly [number, number]>> = {
  read: [STEP_BYTES, 0],
  store: [STEP_BYTES, STEP_BYTES],
  copy: [STEP_BYTES, STEP_BYTES / 2],
  fill: [0, STEP_BYTES],
};
export const DRAM_BYTES = 256 * MIB;

const shape = (bytes: number, strideBytes: number): ChaseShape => ({ strideBytes, blockBytes: bytes });

/** Best of each point over rounds; `better` picks. */
function best(before: number | undefined, now: number, better: (a: number, b: number) => number): number {
  return before === undefined ? now : better(before, now);
}

export interface Latencies {
  dramNs: number;
  chase: { bytes: number; randomNs: number; nearNs: number }[];
  pagesNs: number[];
  linesNs: number[];
  stepNs: number[];
}

export async function latencyRound(
  memory: CalibrationMemory,
  before: Latencies | null,
  tick: () => void,
): Promise<Latencies> {
  const least = (old: number | undefined, now: number) => best(old, now, Math.min);
  const dramNs = least(before?.dramNs, await memory.chaseNs(DRAM_BYTES, shape(NEAR_BLOCK, 2 * LINE_BYTES)));
  const chase: Latencies["chase"] = [];
  for (const [i, bytes] of CHASE_BYTES.entries()) {
    const old = before?.chase[i];
    const randomNs = least(old?.randomNs, await memory.chaseNs(bytes, shape(bytes, LINE_BYTES)));
    const near = bytes > NEAR_BLOCK ? await memory.chaseNs(bytes, shape(NEAR_BLOCK, 2 * LINE_BYTES)) : randomNs;
    chase.push({ bytes, randomNs, nearNs: least(old?.nearNs, near) });
    tick();
  }
  const pagesNs: number[] = [];
  const linesNs: number[] = [];
  for (const [i, pages] of PAGES.entries()) {
    const bytes = pages * LINE_BYTES;
    pagesNs.push(least(before?.pagesNs[i], await memory.pagesNs(pages)));
    linesNs.push(least(before?.linesNs[i], await memory.chaseNs(bytes, shape(bytes, LINE_BYTES))));
    tick();
  }
  const stepNs: number[] = [];
  for (const [i, chains] of CHAINS.entries()) stepNs.push(least(before?.stepNs[i], await memory.chainsNs(chains)));
  tick();
  return { dramNs, chase, pagesNs, linesNs, stepNs };
}

function bandwidthPoint(kind: PressureKind, threads: number, stepsPerSecond: number): BandwidthPoint {
  const [read, written] = MOVED[kind];
  return { kind, threads, readGBps: (read * stepsPerSecond) / 1e9, writtenGBps: (written * stepsPerSecond) / 1e9 };
}

/** 2, 4, ... and all threads; one thread is measured on its own core. */
export function threadCounts(most: number): number[] {
  const counts = [1, 2, 4, 8, 16, 32, 64].filter((count) => count < most);
  return most > 1 ? [...new Set([...counts, most])].filter((count) => count > 1) : [];
}

export async function measureBandwidth(memory: CalibrationMemory, tick: () => void): Promise<BandwidthPoint[]> {
  const points: BandwidthPoint[] = [];
  for (const kind of KINDS) points.push(bandwidthPoint(kind, 1, await memory.coreStepsPerSecond(kind, DRAM_BYTES)));
  for (const threads of threadCounts(memory.threads)) {
    await memory.underPressure(threads, async (pressure) => {
      for (const kind of KINDS) {
        pressure.set(kind, 0);
        points.push(bandwidthPoint(kind, threads, await pressure.stepsPerSecond()));
        tick();
      }
    });
  }
  return points;
}

/** A piece this many times as long as usual held a pause of the chasing thread itself. */
const PREEMPTED = 3;

/** Latency beside traffic: of the whole pieces in which the traffic kept its pace, the lower quartile. */
function loadedPoint(
  kind: PressureKind,
  pieces: readonly { ns: number; stepsPerSecond: number }[],
): Omit<LoadedPoint, "kept"> {
  const usualNs = [...pieces].sort((a, b) => a.ns - b.ns)[Math.floor(pieces.length / 4)].ns;
  const whole = pieces.filter(({ ns }) => ns < PREEMPTED * usualNs);
  const pace = whole.map(({ stepsPerSecond }) => stepsPerSecond).sort((a, b) => a - b);
  const usual = pace[Math.floor(0.9 * (pace.length - 1))] as number;
  const steady = whole.filter(({ stepsPerSecond }) => stepsPerSecond >= 0.8 * usual);
  const ns = steady.map((piece) => piece.ns).sort((a, b) => a - b)[Math.floor(steady.length / 4)] as number;
  const steps = steady.reduce((sum, piece) => sum + piece.stepsPerSecond, 0) / steady.length;
  const [read, written] = MOVED[kind];
  // The chase itself reads a line and, on most machines, its neighbour.
  return { kind, gbps: ((read + written) * steps) / 1e9 + LINE_BYTES / ns, ns };
}

/**
 * One thread less than there are makes traffic, so that the chase has a core of its own. The first point is the same chase alone: what
 * is added to it is the load's.
 */
export async function measureLoaded(memory: CalibrationMemory, cores: number, tick: () => void) {
  const threads = Math.min(memory.threads, cores - 1);
  if (threads < 1) return [];
  const alone = await memory.underPressure(0, async (pressure) => loadedPoint("read", await pressure.chasePieces()));
  return memory.underPressure(threads, async (pressure) => {
    const points: Omit<LoadedPoint, "kept">[] = [alone];
    for (const kind of LOADED_KINDS) {
      for (const pause of PAUSES) {
        pressure.set(kind, pause);
        points.push(loadedPoint(kind, await pressure.chasePieces()));
        tick();
      }
    }
    return points;
  });
}
