// Hugging Face's tokenizer.json and tokenizer_config.json through @huggingface/tokenizers and @huggingface/jinja.

import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import { InputError } from "../core/errors.js";
import type { Tokenizer } from "../core/model.js";
import { chatTemplate } from "./chat-template.js";
import { type TokenizerJson, vocabularyOfJson } from "./vocabulary-json.js";

export interface SpecialIds {
  readonly bosId: number;
  readonly eosId: number;
}

/** Of tokenizer_config.json. */
interface Settings {
  readonly tokenizer_class?: unknown;
  readonly add_bos_token?: unknown;
  readonly chat_template?: unknown;
}

/** Tokenizers that put nothing before a text, whose files do not say so. */
const NO_BOS = /^(?:GPT2|Qwen2)Tokenizer/;

/**
 * @param file name for messages
 * @param json parsed tokenizer.json
 * @param settings parsed tokenizer_config.json, or {}
 * @param ownTemplate chat_template.jinja, where the folder has one
 */
export function openTokenizerJson(
  file: string,
  json: unknown,
  settings: object,
  special: SpecialIds,
  ownTemplate: string | null = null,
): Tokenizer {
  const inner = construct(file, json, settings);
  const addsBos = beginsWithBos(inner, json, settings, special);
  const template = ownTemplate ?? templateOf(settings);
  const text = (id: number) => inner.decode([id], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  const chat = template === null ? null : chatTemplate(file, template, text(special.bosId), text(special.eosId));
  return {
    ...special,
    vocabSize: inner.get_vocab(true).size,
    addsBos,
    ...(chat ? { chat } : {}),
    encode: (text) => inner.encode(text, { add_special_tokens: false }).ids,
    decode: (ids) =>
      ids.length === 0
        ? ""
        : inner.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    vocabulary: () => vocabularyOfJson(file, json as TokenizerJson, { ...special, addsBos, template }),
  };
}

/** A post-processor says it; without one `add_bos_token` or the class does. */
function beginsWithBos(inner: HfTokenizer, json: unknown, settings: Settings, { bosId }: SpecialIds): boolean {
  if ((json as { post_processor?: unknown }).post_processor) {
    return inner.encode("a", { add_special_tokens: true }).ids[0] === bosId;
  }
  if (typeof settings.add_bos_token === "boolean") return settings.add_bos_token;
  return !NO_BOS.test(String(settings.tokenizer_class ?? ""));
}

/** One template, or a list of named ones with a default. */
function templateOf({ chat_template: found }: Settings): string | null {
  if (typeof found === "string") return found;
  if (!Array.isArray(found)) return null;
  const named = (found as { name?: unknown; template?: unknown }[]).find((one) => one?.name === "default");
  return typeof named?.template === "string" ? named.template : null;
}

function construct(file: string, json: unknown, settings: object): HfTokenizer {
  try {
    return new HfTokenizer(json as object, settings);
  } catch (error) {
    const problem = `is no tokenizer that can be used: ${(error as Error).message}`;
    throw new InputError(file, "", problem, "Get the file again, or convert it with Hugging Face's tokenizers");
  }
}
