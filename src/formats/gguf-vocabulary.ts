// A tokenizer as the metadata of a GGUF file (ggml's docs/gguf.md; llama.cpp's llama-vocab.cpp).

import { InputError } from "../core/errors.js";
import { TOKEN, type VocabularyData } from "../core/vocabulary.js";
import type { GgufValue } from "./gguf-write.js";

/** @param vocab rows of the embedding: tokens that it has more are filled up. @throws InputError for too many tokens */
export function vocabularyMetadata(file: string, data: VocabularyData, vocab: number): [string, GgufValue][] {
  const { tokens, types, bosId, eosId, unknownId, addsBos, template } = data;
  if (tokens.length > vocab) {
    const problem = `has ${tokens.length} tokens, the embedding has ${vocab}`;
    throw new InputError(file, "", problem, "Use the tokenizer that belongs to this model");
  }
  const padded = <T>(list: ArrayLike<T>, fill: (id: number) => T): T[] =>
    Array.from({ length: vocab }, (_, id) => (id < list.length ? list[id] : fill(id)));
  return [
    ["tokenizer.ggml.model", { type: "text", value: data.kind === "bpe" ? "gpt2" : "llama" }],
    ["tokenizer.ggml.pre", { type: "text", value: data.kind === "bpe" ? data.rule : "default" }],
    ["tokenizer.ggml.tokens", { type: "texts", value: padded(tokens, (id) => `[PAD${id}]`) }],
    ["tokenizer.ggml.token_type", { type: "i32s", value: padded(types, () => TOKEN.unused) }],
    ...kindMetadata(data, padded),
    ["tokenizer.ggml.bos_token_id", { type: "u32", value: bosId }],
    ["tokenizer.ggml.eos_token_id", { type: "u32", value: eosId }],
    ...(unknownId === null
      ? []
      : [["tokenizer.ggml.unknown_token_id", { type: "u32", value: unknownId }] as [string, GgufValue]]),
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: addsBos ? 1 : 0 }],
    ...(template === null
      ? []
      : [["tokenizer.chat_template", { type: "text", value: template }] as [string, GgufValue]]),
  ];
}

function kindMetadata(
  data: VocabularyData,
  padded: (list: ArrayLike<number>, fill: () => number) => number[],
): [string, GgufValue][] {
  if (data.kind === "bpe") return [["tokenizer.ggml.merges", { type: "texts", value: data.merges }]];
  return [
    ["tokenizer.ggml.scores", { type: "f32s", value: padded(data.scores, () => -10000) }],
    ["tokenizer.ggml.add_space_prefix", { type: "bool", value: data.spacePrefix ? 1 : 0 }],
    ["tokenizer.ggml.add_eos_token", { type: "bool", value: 0 }],
  ];
}
