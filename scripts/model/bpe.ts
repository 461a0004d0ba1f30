// Byte-level byte-pair encoding (GPT-2 style): a deterministic trainer and an encoder. Text is cut
// into words by GPT-2's pattern, words into bytes, and pairs of neighbours are merged in order of rank.

/** GPT-2's pre-tokenisation (Radford et al. 2019), as Hugging Face's ByteLevel applies it. */
const wordPattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Ids 0 to 4; bytes follow from id 5, then the merges in order of rank. */
export const specials = ["<unk>", "<s>", "</s>", "<pad>", "<image>"] as const;
export const bosId = 1;
export const eosId = 2;
export const imageId = 4;

/** [256] the byte of each id from 5 on: bytes sorted by the character that stands for them, as Hugging Face sorts them. */
export const byteOrder: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte).sort(
  (a, b) => byteCharacter(a).charCodeAt(0) - byteCharacter(b).charCodeAt(0),
);

/** GPT-2's printable stand-in for a byte. */
export function byteCharacter(byte: number): string {
  const isPlain = (b: number): boolean => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  if (isPlain(byte)) return String.fromCharCode(byte);
  let rank = 0;
  for (let b = 0; b < byte; b++) if (!isPlain(b)) rank++;
  return String.fromCharCode(256 + rank);
}

/** A trained encoder. Special tokens are never produced from text. */
export interface Bpe {
  /** [merges][2] ids of the two halves; merge i makes the id 5 + 256 + i. */
  readonly merges: readonly (readonly [number, number])[];
  encode(text: string): number[];
  /** Exact inverse of `encode`; special tokens decode to nothing. */
  decode(ids: Iterable<number>): string;
}

const firstMergeId = specials.length + 256;
const pairKey = (a: number, b: number): number => a * 65536 + b;
const idOfByte = new Int32Array(256);
byteOrder.forEach((byte, rank) => {
  idOfByte[byte] = specials.length + rank;
});

/** Cuts text into the words inside which merges happen. */
export function splitWords(text: string): string[] {
  return text.match(wordPattern) ?? [];
}

function wordBytes(word: string): number[] {
  return Array.from(new TextEncoder().encode(word), (byte) => idOfByte[byte]);
}

function mergePair(ids: number[], a: number, b: number, merged: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === a && ids[i + 1] === b) {
      out.push(merged);
      i++;
    } else out.push(ids[i]);
  }
  return out;
}

/** Builds the encoder from its merges. */
export function makeBpe(merges: readonly (readonly [number, number])[]): Bpe {
  const ranks = new Map(merges.map(([a, b], rank) => [pairKey(a, b), rank]));
  const pieces: number[][] = [...specials.map(() => []), ...byteOrder.map((byte) => [byte])];
  for (const [a, b] of merges) pieces.push([...pieces[a], ...pieces[b]]);
  const known = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    const cached = known.get(word);
    if (cached) return cached;
    let ids = wordBytes(word);
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < ids.length; i++) best = Math.min(best, ranks.get(pairKey(ids[i], ids[i + 1])) ?? best);
      if (best === Number.POSITIVE_INFINITY) break;
      ids = mergePair(ids, merges[best][0], merges[best][1], firstMergeId + best);
    }
    known.set(word, ids);
    return ids;
  };
  return {
    merges,
    encode: (text) => splitWords(text).flatMap((word) => encodeWord(word) as number[]),
    decode: (ids) => new TextDecoder().decode(Uint8Array.from([...ids].flatMap((id) => pieces[id]))),
  };
}

/**
 * Learns merges until the vocabulary has `vocabSize` entries. The most frequent pair merges first;
 * of equally frequent ones that with the lower ids, so that the result depends on the counts alone.
 * @param counts how often each word (as `splitWords` cuts them) occurs
 */
export function trainBpe(counts: ReadonlyMap<string, number>, vocabSize: number): Bpe {
  const words = [...counts].map(([word, count]) => ({ ids: wordBytes(word), count }));
  const pairCounts = new Map<number, number>();
  const wordsOfPair = new Map<number, Set<number>>();
  const tally = (index: number, sign: 1 | -1): void => {
    const { ids, count } = words[index];
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = pairKey(ids[i], ids[i + 1]);
      pairCounts.set(key, (pairCounts.get(key) ?? 0) + sign * count);
      if (sign === -1) continue;
      const users = wordsOfPair.get(key);
      if (users) users.add(index);
      else wordsOfPair.set(key, new Set([index]));
    }
  };
  for (let i = 0; i < words.length; i++) tally(i, 1);
  const merges: [number, number][] = [];
  while (firstMergeId + merges.length < vocabSize) {
    let [bestKey, bestCount] = [-1, 0];
    for (const [key, count] of pairCounts) {
      if (count > bestCount || (count === bestCount && count > 0 && key < bestKey)) [bestKey, bestCount] = [key, count];
    }
    if (bestKey < 0) break;
    const [a, b] = [Math.floor(bestKey / 65536), bestKey % 65536];
    for (const index of wordsOfPair.get(bestKey) ?? []) {
      tally(index, -1);
      words[index].ids = mergePair(words[index].ids, a, b, firstMergeId + merges.length);
      tally(index, 1);
    }
    pairCounts.delete(bestKey);
    merges.push([a, b]);
  }
  return makeBpe(merges);
}
