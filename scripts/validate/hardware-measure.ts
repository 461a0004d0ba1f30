// Times programs: passes over one buffer that stays in cache, in turns with passes over buffers that were not touched since
// the whole pool went by; and pieces beside a co-runner. Neighbours only lengthen a pass, so lower quartiles count.

import { AREA_BYTES, type HardwareBed, POOL_BYTES, type Program } from "./hardware-bed.js";

export const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] as number;
export const lowerQuartile = (values: readonly number[]): number => quantile(values, 0.25);

export interface PairTimes {
  readonly nearNs: number;
  readonly farNs: number;
  /** Quartiles of each. */
  readonly nearSpread: readonly [number, number];
  readonly farSpread: readonly [number, number];
  readonly passes: number;
}

export function timed(bed: HardwareBed, run: () => void): number {
  const { clock } = bed.platform;
  const before = clock.nowNs();
  run();
  return clock.nowNs() - before;
}

/** ns a pass over one buffer, in cache after two unmeasured passes. */
export function nearPasses(bed: HardwareBed, program: Program, passes: number, buffer = bed.pool): number[] {
  program.pass(buffer);
  program.pass(buffer);
  return Array.from({ length: passes }, () => timed(bed, () => program.pass(buffer)));
}

/** ns a pass with the buffer in cache, program filled afresh: for calibration. */
export function cachedNs(bed: HardwareBed, program: Program, passes: number): number {
  program.fill(bed.pool, 1);
  return lowerQuartile(nearPasses(bed, program, passes));
}

const PASSES = 12;
/** Most ns that one program may take. */
const BUDGET_NS = 4e9;

/** Near and far passes in turns. The first buffer is the near one; the others are walked round the pool. */
export function measurePair(bed: HardwareBed, program: Program, rounds: number): PairTimes {
  const { bufferBytes } = program;
  const count = Math.floor(POOL_BYTES / bufferBytes);
  program.fill(bed.pool, count);
  const from = bed.platform.clock.nowNs();
  const near: number[] = [];
  const far: number[] = [];
  let turn = 1;
  for (let round = 0; round < rounds && bed.platform.clock.nowNs() - from < BUDGET_NS; round++) {
    near.push(...nearPasses(bed, program, PASSES));
    for (let i = 0; i < PASSES; i++) {
      const buffer = bed.pool + turn * bufferBytes;
      far.push(timed(bed, () => program.pass(buffer)));
      turn = turn + 1 < count ? turn + 1 : 1;
    }
  }
  return {
    nearNs: lowerQuartile(near),
    farNs: lowerQuartile(far),
    nearSpread: [lowerQuartile(near), quantile(near, 0.75)],
    farSpread: [lowerQuartile(far), quantile(far, 0.75)],
    passes: far.length,
  };
}

/** Kinds of a co-runner as `press` numbers them; 4 only multiplies. */
const CO_KINDS = { read: 0, store: 1, compute: 4 } as const;
export type CoKind = keyof typeof CO_KINDS;

/** One pass, and the steps a second that the co-runner made meanwhile. */
export interface Piece {
  readonly ns: number;
  readonly stepsPerSecond: number;
}

export interface CoRunner {
  set(kind: CoKind, pause: number): void;
  beside(pieces: number, run: () => void): readonly Piece[];
}

/** Windows of 0.2 ms, in all of which the co-runner must make steps while this thread runs on. */
const WINDOWS = 10;
const WINDOW_NS = 2e5;
const PATIENCE_NS = 3e9;

/** Spins until the co-runner has a core of its own; gives up after three seconds. */
function awaitPace({ platform }: HardwareBed, words: Int32Array): void {
  const { clock } = platform;
  const from = clock.nowNs();
  for (let good = 0; good < WINDOWS && clock.nowNs() < from + PATIENCE_NS; ) {
    const [before, start] = [Atomics.load(words, 3), clock.nowNs()];
    while (clock.nowNs() < start + WINDOW_NS);
    const runs = Atomics.load(words, 3) !== before && clock.nowNs() < start + 2 * WINDOW_NS;
    good = runs ? good + 1 : 0;
  }
}

/** Runs the body with a thread that makes traffic over its own area. */
export async function withCoRunner<T>(bed: HardwareBed, body: (co: CoRunner) => T): Promise<T> {
  const { memory, module, blockAt, area, platform } = bed;
  const words = new Int32Array(memory.buffer, blockAt, 6);
  words.set([0, CO_KINDS.compute, 1000, 0, area, AREA_BYTES]);
  const worker = await platform.workers?.spawnWorker({ module, memory, entry: "pressUntilStopped", args: [blockAt] });
  try {
    return body({
      set(kind, pause) {
        Atomics.store(words, 1, CO_KINDS[kind]);
        Atomics.store(words, 2, pause);
        awaitPace(bed, words);
      },
      beside: (pieces, run) =>
        Array.from({ length: pieces }, () => {
          const before = Atomics.load(words, 3);
          const ns = timed(bed, run);
          return { ns, stepsPerSecond: (((Atomics.load(words, 3) - before) >>> 0) * 1e9) / ns };
        }),
    });
  } finally {
    Atomics.store(words, 0, 1);
    await worker?.stop();
  }
}

/** Of the pieces during which the co-runner kept its pace and this thread was not paused: lower quartile of ns, mean pace. Pace 0: it never ran. */
export function steady(pieces: readonly Piece[]): Piece {
  const usual = lowerQuartile(pieces.map(({ ns }) => ns));
  const whole = pieces.filter(({ ns, stepsPerSecond }) => ns < 3 * usual && stepsPerSecond > 0);
  if (whole.length === 0) return { ns: usual, stepsPerSecond: 0 };
  const pace = quantile(
    whole.map(({ stepsPerSecond }) => stepsPerSecond),
    0.9,
  );
  const kept = whole.filter(({ stepsPerSecond }) => stepsPerSecond >= 0.8 * pace);
  return {
    ns: lowerQuartile(kept.map(({ ns }) => ns)),
    stepsPerSecond: kept.reduce((sum, piece) => sum + piece.stepsPerSecond, 0) / kept.length,
  };
}
