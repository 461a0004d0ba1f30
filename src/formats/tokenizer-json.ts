// Hugging Face's tokenizer.json through @huggingface/tokenizers.

import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import { InputError } from "../core/errors.js";
import type { Tokenizer } from "../core/model.js";

export interface SpecialIds {
  readonly bosId: number;
  readonly eosId: number;
}

/**
 * @param file name for messages
 * @param json parsed tokenizer.json
 * @param settings parsed tokenizer_config.json, or {}
 */
export function openTokenizerJson(file: string, json: unknown, settings: object, special: SpecialIds): Tokenizer {
  const inner = construct(file, json, settings);
  return {
    ...special,
    vocabSize: inner.get_vocab(true).size,
    encode: (text) => inner.encode(text, { add_special_tokens: false }).ids,
    decode: (ids) =>
      ids.length === 0
        ? ""
        : inner.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
  };
}

function construct(file: string, json: unknown, settings: object): HfTokenizer {
  try {
    return new HfTokenizer(json as object, settings);
  } catch (error) {
    const problem = `is no tokenizer that can be used: ${(error as Error).message}`;
    throw new InputError(file, "", problem, "Get the file again, or convert it with Hugging Face's tokenizers");
  }
}
