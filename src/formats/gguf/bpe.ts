// Byte-level BPE over a GGUF vocabulary (Radford et al. 2019), through @huggingface/tokenizers: the vocabulary, the merges
// and the pre-tokenizer's rule are put together as the tokenizer.json that they came from.

import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import type { InputError } from "../../core/errors.js";
import { TOKEN } from "../../core/vocabulary.js";
import type { GgufFields } from "./fields.js";
import type { Pieces, Vocabulary } from "./vocabulary.js";

const GPT2 = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const BYTES = { ...GPT2, use_regex: false };
const DIGITS = { type: "Digits", individual_digits: true };
const split = (pattern: string) => ({
  ...{ type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
});
const sequence = (...pretokenizers: object[]) => ({ type: "Sequence", pretokenizers });

const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN2 = LLAMA3.replace("\\p{N}{1,3}", "\\p{N}");

/** `tokenizer.ggml.pre` to the rule that cuts a text into words (llama.cpp's llama-vocab.cpp). */
const RULES: Readonly<Record<string, object>> = {
  default: GPT2,
  "gpt-2": GPT2,
  smollm: sequence(DIGITS, GPT2),
  codeshell: sequence(DIGITS, GPT2),
  starcoder: sequence(DIGITS, GPT2),
  "llama-bpe": sequence(split(LLAMA3), BYTES),
  "llama-v3": sequence(split(LLAMA3), BYTES),
  llama3: sequence(split(LLAMA3), BYTES),
  qwen2: sequence(split(QWEN2), BYTES),
};

/** The name of the rule that a tokenizer.json has, or null for one that is not known here. */
export function wordRuleName(preTokenizer: unknown): string | null {
  const given = normal(preTokenizer);
  return Object.entries(RULES).find(([name, rule]) => name !== "default" && normal(rule) === given)?.[0] ?? null;
}

/** The rule of a name, and whether whole words win over merges; null for a name that is not known. */
export function wordRule(name: string): { readonly rule: object; readonly wholeWords: boolean } | null {
  return Object.hasOwn(RULES, name) ? { rule: RULES[name], wholeWords: WHOLE_WORDS.has(name) } : null;
}

/** A rule as text, keys in order, without those that change no word. */
function normal(rule: unknown): string {
  return JSON.stringify(rule, (key, value) => {
    if (key === "trim_offsets") return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Vocabularies whose whole words win over merges. */
const WHOLE_WORDS = new Set(["llama-bpe", "llama-v3", "llama3"]);

export function openBpe(fields: GgufFields, vocabulary: Vocabulary): Pieces {
  const merges = fields.texts("tokenizer.ggml.merges");
  if (!merges) throw fields.fail("tokenizer.ggml.merges", "is missing");
  const pre = fields.text("tokenizer.ggml.pre", "default");
  const rule = Object.hasOwn(RULES, pre) ? RULES[pre] : undefined;
  if (!rule) {
    const known = `Supported are: ${Object.keys(RULES).join(", ")}`;
    const error = fields.fail("tokenizer.ggml.pre", `the word rule "${pre}" is not supported`, known);
    return { encode: () => raise(error), decode: () => raise(error) };
  }
  let opened: HfTokenizer | null = null;
  // A vocabulary of 150 000 takes a moment: only who encodes waits for it.
  const inner = (): HfTokenizer => {
    opened ??= construct(fields, vocabulary, merges, rule, WHOLE_WORDS.has(pre));
    return opened;
  };
  return {
    encode: (text) => inner().encode(text, { add_special_tokens: false }).ids,
    decode: (ids) => decode(vocabulary, ids),
  };
}

function raise(error: InputError): never {
  throw error;
}

function construct(
  fields: GgufFields,
  { tokens, types, ids }: Vocabulary,
  merges: readonly string[],
  rule: object,
  wholeWords: boolean,
): HfTokenizer {
  const special = tokens.flatMap((content, id) => {
    if (types[id] !== TOKEN.control && types[id] !== TOKEN.user) return [];
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return [{ id, content, ...flags, special: types[id] === TOKEN.control }];
  });
  const pairs = merges.map((merge) => {
    const cut = merge.indexOf(" ", 1);
    if (cut < 0) throw fields.fail("tokenizer.ggml.merges", `${JSON.stringify(merge)} is no pair`);
    return [merge.slice(0, cut), merge.slice(cut + 1)];
  });
  const model = { type: "BPE", vocab: Object.fromEntries(ids), merges: pairs, ignore_merges: wholeWords };
  const json = { version: "1.0", added_tokens: special, normalizer: null, pre_tokenizer: rule, model };
  try {
    return new HfTokenizer({ ...json, post_processor: null, decoder: { type: "ByteLevel" } }, {});
  } catch (error) {
    throw fields.fail("tokenizer.ggml.tokens", `make no tokenizer: ${(error as Error).message}`);
  }
}

/** GPT-2's printable stand-ins for bytes, to bytes. */
function byteTable(): ReadonlyMap<string, number> {
  const table = new Map<string, number>();
  let shift = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    table.set(String.fromCodePoint(printable ? byte : shift++), byte);
  }
  return table;
}

const BYTES_OF = byteTable();

function decode({ tokens, types }: Vocabulary, ids: readonly number[]): string {
  const utf8 = new TextEncoder();
  const bytes = ids.flatMap((id) => {
    const token = tokens[id] ?? "";
    const plain = types[id] === TOKEN.user;
    return [...token].flatMap((c) => (plain ? [...utf8.encode(c)] : [BYTES_OF.get(c) ?? [...utf8.encode(c)]].flat()));
  });
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
