// Where the debug registers are pointed: at random words of what is in memory, and after a touch at a
// second word of that line, to see how much of a line a visit uses.

import type { Region } from "../../core/regions.js";
import { LINE_BYTES } from "../../core/units.js";
import { WORDS_PER_LINE } from "./estimate.js";

/** xorshift32: choices need no better, and tests want them to repeat. */
export function openRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

export interface Aim {
  readonly address: number;
  readonly region: Region;
}

/** Tries before a word that is in memory is given up on. */
const TRIES = 24;

/** A random word of the regions, by resident bytes; null when none that is in memory was found. */
export function aimAtWord(
  regions: readonly Region[],
  random: () => number,
  isPresent: (address: number) => boolean,
): Aim | null {
  const total = regions.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
  if (total <= 0) return null;
  let at = random() * total;
  const region = regions.find(({ residentBytes }) => {
    at -= residentBytes;
    return at < 0;
  });
  if (!region) return null;
  for (let tries = 0; tries < TRIES; tries++) {
    // Two draws: one of 32 bits is too coarse for large regions.
    const word = Math.floor(((random() + random() / 2 ** 32) * region.sizeBytes) / 8);
    const address = region.startAddress + Math.min(word, region.sizeBytes / 8 - 1) * 8;
    if (isPresent(address)) return { address, region };
  }
  return null;
}

/** Another word of the word's line, at random. */
export function otherWord(address: number, random: () => number): number {
  const line = Math.floor(address / LINE_BYTES) * LINE_BYTES;
  const at = (address - line) / 8;
  const other = (at + 1 + Math.floor(random() * (WORDS_PER_LINE - 1))) % WORDS_PER_LINE;
  return line + other * 8;
}
