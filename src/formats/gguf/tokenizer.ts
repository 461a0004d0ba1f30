// The vocabulary inside a GGUF file as a tokenizer: SentencePiece ("llama") or byte-level BPE ("gpt2").
// Keys and token types: ggml's docs/gguf.md; how special tokens cut a text: llama.cpp's llama-vocab.cpp.

import type { Tokenizer } from "../../core/model.js";
import { TOKEN, type VocabularyData } from "../../core/vocabulary.js";
import { chatTemplate } from "../chat-template.js";
import { openBpe } from "./bpe.js";
import { type GgufFields, ggufFields } from "./fields.js";
import type { GgufFile } from "./header.js";
import { openSentencePiece } from "./sentencepiece.js";
import type { Pieces, Vocabulary } from "./vocabulary.js";

/** The tokenizer of a file, or null when it has none. Throws InputError for a vocabulary that contradicts itself. */
export function readTokenizer(file: GgufFile, vocab: number): Tokenizer | null {
  const fields = ggufFields(file);
  const tokens = fields.texts("tokenizer.ggml.tokens");
  if (!tokens) return null;
  const model = fields.text("tokenizer.ggml.model");
  const vocabulary = readVocabulary(fields, tokens, vocab);
  const pieces = piecesOf(model, fields, vocabulary);
  const special = (name: string, otherwise: number) => {
    const key = `tokenizer.ggml.${name}_token_id`;
    const id = fields.number(key, otherwise);
    if (Number.isInteger(id) && id >= 0 && id < tokens.length) return id;
    throw fields.fail(key, `is ${id}, there are ${tokens.length} tokens`);
  };
  const bosId = special("bos", Math.min(1, tokens.length - 1));
  const eosId = special("eos", Math.min(2, tokens.length - 1));
  const template = fields.has("tokenizer.chat_template") ? fields.text("tokenizer.chat_template") : null;
  const chat = template === null ? null : chatTemplate(file.source.name, template, tokens[bosId], tokens[eosId]);
  const addsBos = fields.flag("tokenizer.ggml.add_bos_token", model === "llama");
  return {
    ...{ bosId, eosId, vocabSize: tokens.length },
    addsBos,
    ...(chat ? { chat } : {}),
    vocabulary: () => dataOf(fields, vocabulary, { bosId, eosId, addsBos, template }),
    encode: cutter(vocabulary, pieces),
    decode: (ids) => pieces.decode(ids.filter((id) => vocabulary.types[id] !== TOKEN.control)),
  };
}

function readVocabulary(fields: GgufFields, tokens: readonly string[], vocab: number): Vocabulary {
  if (tokens.length > vocab) {
    throw fields.fail("tokenizer.ggml.tokens", `has ${tokens.length} tokens, the embedding has ${vocab}`);
  }
  const types = fields.numbers("tokenizer.ggml.token_type") ?? new Uint8Array(tokens.length).fill(TOKEN.normal);
  if (types.length !== tokens.length) {
    throw fields.fail("tokenizer.ggml.token_type", `has ${types.length} entries, there are ${tokens.length} tokens`);
  }
  const ids = new Map<string, number>();
  for (let id = tokens.length - 1; id >= 0; id--) ids.set(tokens[id], id);
  return { tokens, types, ids };
}

function piecesOf(model: string, fields: GgufFields, vocabulary: Vocabulary): Pieces {
  if (model === "llama") return openSentencePiece(fields, vocabulary);
  if (model === "gpt2") return openBpe(fields, vocabulary);
  throw fields.fail("tokenizer.ggml.model", `"${model}" is not supported`, 'Supported are: "llama", "gpt2"');
}

type Special = Pick<VocabularyData, "bosId" | "eosId" | "addsBos" | "template">;

function dataOf(fields: GgufFields, { tokens, types }: Vocabulary, special: Special): VocabularyData {
  const key = "tokenizer.ggml.unknown_token_id";
  const unknownId = fields.has(key) ? fields.number(key) : null;
  const common = { tokens, types: Array.from(types), unknownId, ...special };
  if (fields.text("tokenizer.ggml.model") === "gpt2") {
    const merges = fields.texts("tokenizer.ggml.merges") ?? [];
    return { kind: "bpe", ...common, merges, rule: fields.text("tokenizer.ggml.pre", "default") };
  }
  const scores = fields.numbers("tokenizer.ggml.scores") ?? [];
  const spacePrefix = fields.flag("tokenizer.ggml.add_space_prefix", true);
  return { kind: "sentencepiece", ...common, scores, spacePrefix };
}

/** Cuts a text at special tokens, the longest first where several begin at one place. */
function cutter({ tokens, types, ids }: Vocabulary, pieces: Pieces): (text: string) => number[] {
  const marks = tokens.filter((text, id) => text !== "" && (types[id] === TOKEN.control || types[id] === TOKEN.user));
  const sorted = [...marks].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    sorted.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|") || "(?!)",
    "g",
  );
  return (text) => {
    const found: number[] = [];
    let from = 0;
    let afterSpecial = true;
    const plain = (part: string) => {
      if (part === "") return;
      for (const id of pieces.encode(part, afterSpecial)) found.push(id);
      afterSpecial = false;
    };
    for (const match of text.matchAll(pattern)) {
      plain(text.slice(from, match.index));
      found.push(ids.get(match[0]) as number);
      from = match.index + match[0].length;
      afterSpecial = true;
    }
    plain(text.slice(from));
    return found;
  };
}
