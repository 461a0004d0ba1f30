// What a clock can tell apart. Pages see coarse clocks (5 us under cross-origin isolation, up to 100 us without), so what is
// timed there must last longer than in Node.

import type { Clock } from "./ports.js";

/** Changes of the clock that are looked at: 2 ms at the coarsest. */
const CHANGES = 21;
/** A timed piece lasts this many steps of the clock, so that it is known to a percent. */
export const STEPS_PER_PIECE = 100;
/** Most doublings of a piece: from one L1 load to 100 us clocks is less. */
const MOST_DOUBLINGS = 16;

/** Smallest difference that `clock` shows, ns: the median of its changes while nothing else is done. */
export function clockStepNs(clock: Clock): number {
  const steps = Array.from({ length: CHANGES }, () => {
    const from = clock.nowNs();
    let to = from;
    while (to === from) to = clock.nowNs();
    return to - from;
  });
  return steps.sort((a, b) => a - b)[(CHANGES - 1) / 2] as number;
}

/** A timed piece lasts at least this long. @param stepNs what clockStepNs gave */
export const leastPieceNs = (stepNs: number): number => STEPS_PER_PIECE * stepNs;

/**
 * How much work one timed piece needs: `least`, doubled until `run` of it lasts long against the clock's step.
 * @param stepNs what clockStepNs gave
 */
export function pieceLength(clock: Clock, stepNs: number, least: number, run: (count: number) => void): number {
  let count = least;
  for (let doubling = 0; doubling < MOST_DOUBLINGS; doubling++) {
    const from = clock.nowNs();
    run(count);
    if (clock.nowNs() - from >= leastPieceNs(stepNs)) break;
    count *= 2;
  }
  return count;
}
