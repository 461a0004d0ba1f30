// A byte-level BPE tokenizer.json as the metadata of a GGUF file. Others (SentencePiece turned into tokenizer.json) are
// refused: what they do to a text cannot be told from their parts.

import { InputError } from "../core/errors.js";
import { wordRuleName } from "./gguf/bpe.js";
import { TOKEN } from "./gguf/vocabulary.js";
import type { GgufValue } from "./gguf-write.js";

interface BpeJson {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly pre_tokenizer?: unknown;
  readonly model?: {
    readonly type?: string;
    readonly vocab?: object;
    readonly merges?: readonly (string | string[])[];
  };
}

/**
 * @param file name for messages; @param json parsed tokenizer.json; @param vocab rows of the embedding
 * @throws InputError for other kinds of tokenizers
 */
export function bpeMetadata(
  file: string,
  json: BpeJson,
  vocab: number,
  special: { readonly bosId: number; readonly eosId: number },
): [string, GgufValue][] {
  const fail = (problem: string) => new InputError(file, "model", problem, "Only byte-level BPE is written to GGUF");
  const { type, vocab: pieces, merges } = json.model ?? {};
  if (type !== "BPE" || !pieces || !merges) throw fail(`is ${type ?? "unknown"}`);
  const rule = wordRuleName(json.pre_tokenizer);
  if (rule === null)
    throw new InputError(file, "pre_tokenizer", "llama.cpp has no name for it", "Use another tokenizer");
  const tokens = Array.from({ length: vocab }, (_, id) => `[PAD${id}]`);
  const types = new Array<number>(vocab).fill(TOKEN.unused);
  const place = (id: number, content: string, kind: number) => {
    if (!Number.isInteger(id) || id < 0 || id >= vocab) throw fail(`gives ${JSON.stringify(content)} the id ${id}`);
    tokens[id] = content;
    types[id] = kind;
  };
  for (const [content, id] of Object.entries(pieces)) place(id as number, content, TOKEN.normal);
  for (const { id, content, special: control } of json.added_tokens ?? []) {
    place(id, content, control ? TOKEN.control : TOKEN.user);
  }
  return [
    ["tokenizer.ggml.model", { type: "text", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "text", value: rule }],
    ["tokenizer.ggml.tokens", { type: "texts", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "i32s", value: types }],
    ["tokenizer.ggml.merges", { type: "texts", value: merges.map((m) => (typeof m === "string" ? m : m.join(" "))) }],
    ["tokenizer.ggml.bos_token_id", { type: "u32", value: special.bosId }],
    ["tokenizer.ggml.eos_token_id", { type: "u32", value: special.eosId }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: 1 }],
  ];
}
