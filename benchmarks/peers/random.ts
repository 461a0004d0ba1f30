// Seeded numbers for the generated matrices: the same on every machine and in every contender's process.

/** Uniform 32-bit numbers (xorshift32, Marsaglia 2003). */
export function bits(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Standard normal numbers (Box and Muller 1958). */
export function normals(seed: number, count: number): Float32Array {
  const next = bits(seed);
  const uniform = () => (next() + 1) / 4294967297;
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}
