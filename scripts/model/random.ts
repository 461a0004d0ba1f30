// Seeded random numbers for everything the data scripts draw: the same seeds give the same
// numbers on every machine. Generator: sfc32 (Doty-Humphrey, PractRand), seeded through
// murmur3's finalizer.

export interface Random {
  /** The next number in [0, 1). */
  next(): number;
  /** The next integer in [0, n). */
  int(n: number): number;
}

function mix(hash: number, value: number): number {
  let h = Math.imul(hash ^ value, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) + 0x9e3779b9;
}

/** A generator that is a pure function of the integers given (for example seed, step, shard). */
export function makeRandom(...seeds: readonly number[]): Random {
  let [a, b, c, counter] = [0x243f6a88, 0x85a308d3, 0x13198a2e, 1];
  for (const seed of seeds) {
    a = mix(a, seed | 0);
    b = mix(b, a);
    c = mix(c, b);
  }
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return { next, int: (n) => Math.floor(next() * n) };
}

/** One entry of a list, each equally likely. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.int(list.length)] as T;
}

/** `count` different entries of a list, in random order (all of them when it is shorter). */
export function sample<T>(random: Random, list: readonly T[], count: number): T[] {
  const rest = [...list];
  const taken: T[] = [];
  while (taken.length < count && rest.length > 0) taken.push(...rest.splice(random.int(rest.length), 1));
  return taken;
}
