// The tokenizer of llama2.c: SentencePiece's BPE vocabulary with scores, in a flat file. int32 longest piece, then per
// token float32 score, int32 length, UTF-8 bytes; 0 <unk>, 1 <s>, 2 </s>, 3..258 the bytes, then the pieces.

import { InputError } from "../core/errors.js";
import type { Tokenizer } from "../core/model.js";
import type { ByteSource } from "../core/tensor.js";
import { TOKEN, type VocabularyData } from "../core/vocabulary.js";

const FIRST_BYTE = 3;
const FIRST_PIECE = FIRST_BYTE + 256;

interface Vocabulary {
  readonly pieces: readonly string[];
  readonly scores: readonly number[];
  readonly ids: ReadonlyMap<string, number>;
}

/** Reads `vocabSize` tokens. Throws InputError when the file is shorter or longer. */
export async function openLlama2cTokenizer(source: ByteSource, vocabSize: number): Promise<Tokenizer> {
  const bytes = await source.read(0, source.sizeBytes);
  const vocabulary = readVocabulary(bytes, vocabSize, source.name);
  return {
    bosId: 1,
    eosId: 2,
    vocabSize,
    encode: (text) => encode(text, vocabulary),
    decode: (ids) => decode(ids, vocabulary),
    vocabulary: () => dataOf(vocabulary),
  };
}

/** The names that SentencePiece itself gives to the first tokens, and its sign for a space. */
function dataOf({ pieces, scores }: Vocabulary): VocabularyData {
  const byte = (id: number) => `<0x${(id - FIRST_BYTE).toString(16).toUpperCase().padStart(2, "0")}>`;
  const named = ["<unk>", "<s>", "</s>"];
  const tokens = pieces.map((piece, id) => {
    if (id < FIRST_BYTE) return named[id];
    return id < FIRST_PIECE ? byte(id) : piece.replaceAll(" ", "\u2581");
  });
  const types = pieces.map((_, id) => {
    if (id < FIRST_BYTE) return id === 0 ? TOKEN.unknown : TOKEN.control;
    return id < FIRST_PIECE ? TOKEN.byte : TOKEN.normal;
  });
  const special = { bosId: 1, eosId: 2, unknownId: 0, addsBos: true, template: null };
  return { kind: "sentencepiece", tokens, types, scores, spacePrefix: true, ...special };
}

function readVocabulary(bytes: Uint8Array, vocabSize: number, name: string): Vocabulary {
  const fail = (problem: string) =>
    new InputError(name, "", problem, "Use the tokenizer file that belongs to this model");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder();
  const pieces: string[] = [];
  const scores: number[] = [];
  let at = 4;
  for (let id = 0; id < vocabSize; id++) {
    if (at + 8 > bytes.length) throw fail(`ends after ${id} of ${vocabSize} tokens`);
    const length = view.getInt32(at + 4, true);
    if (length < 0 || at + 8 + length > bytes.length) throw fail(`token ${id} says it has ${length} bytes`);
    scores.push(view.getFloat32(at, true));
    pieces.push(text.decode(bytes.subarray(at + 8, at + 8 + length)));
    at += 8 + length;
  }
  if (at !== bytes.length) throw fail(`has ${bytes.length - at} bytes after its ${vocabSize} tokens`);
  // Only real pieces may match text: "<s>" written in a prompt is text here.
  const ids = new Map<string, number>();
  for (let id = pieces.length - 1; id >= FIRST_PIECE; id--) ids.set(pieces[id], id);
  return { pieces, scores, ids };
}

/** Characters (or their bytes) first, then the best-scored merge again and again (Sennrich et al. 2016). */
function encode(text: string, { pieces, scores, ids }: Vocabulary): number[] {
  if (text === "") return [];
  const utf8 = new TextEncoder();
  // SentencePiece's dummy prefix: a text begins like a word inside a sentence.
  const tokens = [...` ${text}`].flatMap((character) => {
    const id = ids.get(character);
    return id !== undefined ? [id] : Array.from(utf8.encode(character), (byte) => FIRST_BYTE + byte);
  });
  for (;;) {
    let best = -1;
    let merged = -1;
    for (let i = 0; i + 1 < tokens.length; i++) {
      const id = ids.get(pieces[tokens[i]] + pieces[tokens[i + 1]]);
      if (id !== undefined && (merged < 0 || scores[id] > scores[merged])) {
        best = i;
        merged = id;
      }
    }
    if (best < 0) return tokens;
    tokens.splice(best, 2, merged);
  }
}

function decode(ids: readonly number[], { pieces }: Vocabulary): string {
  const utf8 = new TextEncoder();
  const parts = ids.map((id) => {
    if (id < FIRST_BYTE) return new Uint8Array(0);
    return id < FIRST_PIECE ? Uint8Array.of(id - FIRST_BYTE) : utf8.encode(pieces[id] ?? "");
  });
  const bytes = parts.flatMap((part) => [...part]);
  // The dummy prefix is not part of the text.
  return new TextDecoder().decode(Uint8Array.from(bytes[0] === 32 ? bytes.slice(1) : bytes));
}
