// SentencePiece's BPE over a GGUF vocabulary: characters first, then always the pair whose merged piece has the highest
// score, leftmost of equals (Kudo & Richardson 2018; order as llama.cpp's llm_tokenizer_spm). A heap of pairs over a
// linked list: n log n for a text of n characters.

import { TOKEN } from "../../core/vocabulary.js";
import type { GgufFields } from "./fields.js";
import type { Pieces, Vocabulary } from "./vocabulary.js";

const SPACE = "\u2581";

export function openSentencePiece(fields: GgufFields, vocabulary: Vocabulary): Pieces {
  const { tokens, types, ids } = vocabulary;
  const scores = fields.numbers("tokenizer.ggml.scores");
  if (scores?.length !== tokens.length) {
    throw fields.fail("tokenizer.ggml.scores", `has ${scores?.length ?? 0} entries, there are ${tokens.length} tokens`);
  }
  const prefix = fields.flag("tokenizer.ggml.add_space_prefix", true);
  const bytes = byteTokens(vocabulary);
  const unknown = fields.number("tokenizer.ggml.unknown_token_id", 0);
  const usable = (text: string): number | undefined => {
    const id = ids.get(text);
    return id !== undefined && types[id] !== TOKEN.byte ? id : undefined;
  };
  const bytesOf = (text: string) => Array.from(new TextEncoder().encode(text), (byte) => bytes.get(byte) ?? unknown);
  return {
    encode(text, afterSpecial) {
      const escaped = (prefix && afterSpecial ? ` ${text}` : text).replaceAll(" ", SPACE);
      return merge([...escaped], usable, scores).flatMap((piece) => {
        const id = usable(piece);
        return id === undefined ? bytesOf(piece) : [id];
      });
    },
    decode(list) {
      const parts = list.map((id) => byteOf(tokens[id], types[id]) ?? new TextEncoder().encode(tokens[id] ?? ""));
      const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      const text = new TextDecoder().decode(whole).replaceAll(SPACE, " ");
      return prefix && text.startsWith(" ") ? text.slice(1) : text;
    },
  };
}

/** `<0x0A>` of type byte to its byte. */
function byteOf(token: string | undefined, type: number): Uint8Array | null {
  const match = type === TOKEN.byte ? /^<0x([0-9A-Fa-f]{2})>$/.exec(token ?? "") : null;
  return match && Uint8Array.of(Number.parseInt(match[1], 16));
}

function byteTokens({ tokens, types }: Vocabulary): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  tokens.forEach((token, id) => {
    const byte = byteOf(token, types[id]);
    if (byte) found.set(byte[0], id);
  });
  return found;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  readonly score: number;
  /** The merged text: a pair whose ends have changed since is stale. */
  readonly text: string;
}

function merge(
  symbols: string[],
  idOf: (text: string) => number | undefined,
  scores: ArrayLike<number>,
): readonly string[] {
  const next = symbols.map((_, i) => (i + 1 < symbols.length ? i + 1 : -1));
  const previous = symbols.map((_, i) => i - 1);
  const heap: Pair[] = [];
  const offer = (left: number, right: number) => {
    if (left < 0 || right < 0) return;
    const text = symbols[left] + symbols[right];
    const id = idOf(text);
    if (id !== undefined) push(heap, { left, right, score: scores[id], text });
  };
  for (let i = 0; i + 1 < symbols.length; i++) offer(i, i + 1);
  for (let best = pop(heap); best; best = pop(heap)) {
    const { left, right, text } = best;
    if (next[left] !== right || symbols[left] + symbols[right] !== text) continue;
    symbols[left] = text;
    symbols[right] = "";
    next[left] = next[right];
    if (next[left] >= 0) previous[next[left]] = left;
    next[right] = -2;
    offer(previous[left], left);
    offer(left, next[left]);
  }
  return symbols.filter((symbol) => symbol !== "");
}

const before = (a: Pair, b: Pair): boolean => a.score > b.score || (a.score === b.score && a.left < b.left);

function push(heap: Pair[], pair: Pair): void {
  let at = heap.push(pair) - 1;
  for (let up = (at - 1) >> 1; at > 0 && before(pair, heap[up]); up = (at - 1) >> 1) {
    heap[at] = heap[up];
    at = up;
  }
  heap[at] = pair;
}

function pop(heap: Pair[]): Pair | undefined {
  const best = heap[0];
  const last = heap.pop();
  if (!last || heap.length === 0) return best;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    if (down + 1 < heap.length && before(heap[down + 1], heap[down])) down++;
    if (down >= heap.length || !before(heap[down], last)) break;
    heap[at] = heap[down];
    at = down;
  }
  heap[at] = last;
  return best;
}
