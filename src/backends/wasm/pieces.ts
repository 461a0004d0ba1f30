// Timing in short pieces: a busy neighbour lengthens many of them, but seldom all, so a low quantile is what the machine
// can do.

import type { Clock } from "../../core/ports.js";

/** Share of pieces that may be better by luck (lines still in a cache) than what is reported. */
const LUCKY = 0.1;

/** Clocks finer than this need no longer pieces. */
const FINE_NS = 5000;
const FEWEST_PIECES = 10;

/** Pieces to take of `most`: fewer where a coarse clock makes each of them long. */
export const pieceCount = (most: number, clockStepNs: number): number =>
  Math.max(FEWEST_PIECES, Math.min(most, Math.round((most * FINE_NS) / clockStepNs)));

export const lowQuantile = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(LUCKY * values.length)] as number;

/** ns of each of `pieces` runs. */
export function pieceNs(clock: Clock, pieces: number, run: () => void): number[] {
  return Array.from({ length: pieces }, () => {
    const before = clock.nowNs();
    run();
    return clock.nowNs() - before;
  });
}
