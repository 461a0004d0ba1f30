// Picks the next token from one row of logits: the host's only math on a row of the vocabulary, as in llama2.c's sampler.

/** Greedy, or drawn with a seed. */
export type Sampling =
  | { readonly kind: "greedy" }
  | {
      readonly kind: "topP";
      /** Divides the logits; above 0. */
      readonly temperature: number;
      /** Smallest set of tokens whose shares reach this sum is drawn from (Holtzman et al. 2020). */
      readonly topP: number;
      readonly seed: number;
    };

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws a token from softmax(logits / temperature), cut to its top-p nucleus. */
export function drawToken(logits: Float32Array, temperature: number, topP: number, random: number): number {
  const top = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const weights = Array.from(logits, (value, id) => ({ id, weight: Math.exp((value - top) / temperature) }));
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  weights.sort((a, b) => b.weight - a.weight || a.id - b.id);
  let kept = 0;
  let count = 0;
  while (count < weights.length && (count === 0 || kept < topP * total)) kept += weights[count++].weight;
  let left = random * kept;
  for (const { id, weight } of weights.slice(0, count)) {
    left -= weight;
    if (left < 0) return id;
  }
  return weights[count - 1].id;
}
