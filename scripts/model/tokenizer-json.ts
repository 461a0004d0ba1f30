// The tokenizer as Hugging Face writes it (`tokenizer.json`: BPE model, ByteLevel pre-tokenizer and
// decoder, added special tokens), to and from the merges of `bpe.ts`.

import { readFileSync } from "node:fs";
import { InputError } from "../../src/core/errors.js";
import { type Bpe, byteCharacter, byteOrder, makeBpe, specials } from "./bpe.js";

/** [vocabulary] the printable form of every id. */
function tokenStrings(merges: Bpe["merges"]): string[] {
  const tokens: string[] = [...specials, ...byteOrder.map(byteCharacter)];
  for (const [a, b] of merges) tokens.push(tokens[a] + tokens[b]);
  return tokens;
}

/** The contents of `tokenizer.json`. */
export function tokenizerJson(bpe: Bpe): object {
  const tokens = tokenStrings(bpe.merges);
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specials.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: bpe.merges.map(([a, b]) => `${tokens[a]} ${tokens[b]}`),
    },
  };
}

/** The contents of `tokenizer_config.json`: what transformers and tokenizers.js read beside it. */
export function tokenizerConfigJson(): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: "<s>",
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    model_max_length: 512,
    clean_up_tokenization_spaces: false,
  };
}

/** Reads a tokenizer that `tokenizerJson` wrote. @throws InputError when the file is another kind of tokenizer */
export function loadTokenizer(path: string): Bpe {
  const { model } = JSON.parse(readFileSync(path, "utf8")) as ReturnType<typeof JSON.parse>;
  const fits = model?.type === "BPE" && specials.every((token, id) => model.vocab?.[token] === id);
  if (!fits) throw new InputError(path, "model", "is not Nibblemark's BPE", "Run `npm run tokenizer` to write it.");
  const id = (token: string): number => model.vocab[token];
  const merges = (model.merges as string[]).map((merge) => merge.split(" ").map(id) as [number, number]);
  return makeBpe(merges);
}
