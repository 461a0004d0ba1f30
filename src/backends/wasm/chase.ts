// Pointer chases over one buffer of a reader: linked once a shape, begun elsewhere each time.

import { pieceLength } from "../../core/clock.js";
import type { ChaseShape, Clock } from "../../core/ports.js";
import type { Kernels } from "./kernels.js";
import { lowQuantile, pieceCount, pieceNs } from "./pieces.js";

/** Pieces of a chase, and least loads of one: 0.2 to 0.5 ms, short against a time slice; more where the clock is coarse. */
const PIECES = 40;
const PIECE_LOADS = 3000;
const MAX_CHAINS = 32;
/** Lines between the starts of one measurement and the next. */
const TURN_LINES = 7 * 2 ** 15 + 7919;
/** Room for the u32 addresses of all chains. */
export const CHASE_STATE_BYTES = 256;

export interface ChaseArea {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly clock: Clock;
  /** What the clock tells apart. */
  readonly clockStepNs: number;
  readonly start: number;
  readonly bytes: number;
  /** CHASE_STATE_BYTES for the chains' addresses. */
  readonly stateAt: number;
}

export interface Chase {
  /** ns a step of 1 to 32 chains over the largest power of two of lines that fits `bytes`. */
  stepNs(bytes: number, chains: number, shape: ChaseShape): number;
  /** ns a load of one chain, piece by piece; `beside` runs after each. */
  pieces(bytes: number, shape: ChaseShape, count: number, beside: (ns: number) => void): void;
}

export function openChase({ kernels, memory, clock, clockStepNs, start, bytes, stateAt }: ChaseArea): Chase {
  let linked = "";
  let turn = 0;
  /** Links the buffer and puts the chains at their starts, far apart so that none finds the lines of another in a cache. */
  function begin(chaseBytes: number, chains: number, { strideBytes, blockBytes }: ChaseShape): void {
    const count = 2 ** Math.floor(Math.log2(Math.min(chaseBytes, bytes) / strideBytes));
    const block = Math.min(count, 2 ** Math.floor(Math.log2(blockBytes / strideBytes)));
    const wanted = `${count} ${strideBytes} ${block}`;
    if (wanted !== linked) kernels.linkChase(start, count, strideBytes, block);
    linked = wanted;
    turn++;
    const state = new Uint32Array(memory.buffer, stateAt, chains);
    state.forEach((_, chain) => {
      const line = (Math.floor((count * chain) / chains) + turn * TURN_LINES) % count;
      state[chain] = start + line * strideBytes;
    });
  }
  return {
    stepNs(chaseBytes, chains, shape) {
      const used = Math.min(chains, MAX_CHAINS);
      begin(chaseBytes, used, shape);
      const run = (steps: number) => kernels.chains(stateAt, used, steps);
      const steps = pieceLength(clock, clockStepNs, Math.round(PIECE_LOADS / used), run);
      return lowQuantile(pieceNs(clock, pieceCount(PIECES, clockStepNs), () => run(steps))) / steps;
    },
    pieces(chaseBytes, shape, count, beside) {
      begin(chaseBytes, 1, shape);
      const run = (steps: number) => kernels.chains(stateAt, 1, steps);
      const loads = pieceLength(clock, clockStepNs, PIECE_LOADS, run);
      for (let i = 0; i < count; i++) {
        const [ns] = pieceNs(clock, 1, () => run(loads));
        beside((ns as number) / loads);
      }
    },
  };
}
