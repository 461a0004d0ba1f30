// The shape of the modelled last-level cache: sets and ways nearest to a size in bytes, and the two sizes around it.

import { LINE_BYTES } from "../../core/units.js";

/** Ways of half, all and one and a half of the size; the last is at most 15, so that a set is one line of the host. */
export interface CacheShape {
  readonly sets: number;
  readonly ways: readonly [number, number, number];
}

const FEWEST_WAYS = 5.5;

/** Sets are a power of two, ways 6 to 10 (up to 11 % off the size), as close to +-50 % as whole ways come. */
export function cacheShape(bytes: number): CacheShape {
  const lines = bytes / LINE_BYTES;
  const sets = 2 ** Math.max(0, Math.floor(Math.log2(lines / FEWEST_WAYS)));
  const ways = Math.max(2, Math.min(10, Math.round(lines / sets)));
  return { sets, ways: [Math.round(ways / 2), ways, Math.round(1.5 * ways)] };
}

export const shapeBytes = ({ sets, ways }: CacheShape): number[] => ways.map((count) => sets * count * LINE_BYTES);
