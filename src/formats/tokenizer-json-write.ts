// A tokenizer as tokenizer.json and tokenizer_config.json, for models that come from files of other formats. SentencePiece's
// scores become merges, all ways to make a piece together, best piece first, as transformers' converter does.

import { InputError } from "../core/errors.js";
import { type SentencePieceVocabulary, TOKEN, type VocabularyData } from "../core/vocabulary.js";
import { wordRule } from "./gguf/bpe.js";

const SPACE = "\u2581";

/** @param file name for messages. @throws InputError for a word rule that is not known */
export function tokenizerFiles(file: string, data: VocabularyData): { name: string; json: object }[] {
  const { tokens, types, bosId, eosId, unknownId, template, addsBos } = data;
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const kinds: readonly number[] = [TOKEN.control, TOKEN.user, TOKEN.unknown];
  const added = tokens.flatMap((content, id) =>
    kinds.includes(types[id]) ? [{ id, content, ...flags, special: types[id] !== TOKEN.user }] : [],
  );
  const bos = tokens[bosId];
  const single = [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }];
  const template1 = {
    type: "TemplateProcessing",
    single,
    pair: [...single, { Sequence: { id: "B", type_id: 1 } }],
    special_tokens: { [bos]: { id: bos, ids: [bosId], tokens: [bos] } },
  };
  const json = {
    ...{ version: "1.0", truncation: null, padding: null, added_tokens: added },
    ...(data.kind === "bpe" ? bpeParts(file, data) : sentencePieceParts(data)),
    post_processor: addsBos ? template1 : null,
  };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: bos,
    eos_token: tokens[eosId],
    ...(unknownId === null ? {} : { unk_token: tokens[unknownId] }),
    clean_up_tokenization_spaces: false,
    ...(template === null ? {} : { chat_template: template }),
  };
  return [
    { name: "tokenizer.json", json },
    { name: "tokenizer_config.json", json: config },
  ];
}

/** Ids of what text can become; where two ids have the same text, the lower one. */
function vocabOf({ tokens, types }: VocabularyData): Record<string, number> {
  const ids: Record<string, number> = {};
  for (let id = tokens.length - 1; id >= 0; id--) if (types[id] !== TOKEN.unused) ids[tokens[id]] = id;
  return ids;
}

function bpeParts(file: string, data: Extract<VocabularyData, { kind: "bpe" }>): object {
  const rule = wordRule(data.rule);
  if (!rule)
    throw new InputError(file, "tokenizer.ggml.pre", `"${data.rule}" is not known`, "Write GGUF, which keeps it");
  return {
    normalizer: null,
    pre_tokenizer: rule.rule,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: rule.wholeWords },
      vocab: vocabOf(data),
      merges: data.merges,
    },
  };
}

function sentencePieceParts(data: SentencePieceVocabulary): object {
  const { tokens, unknownId, spacePrefix } = data;
  const replace = { type: "Replace", pattern: { String: " " }, content: SPACE };
  const back = { type: "Replace", pattern: { String: SPACE }, content: " " };
  const strip = spacePrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : [];
  return {
    normalizer: spacePrefix
      ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: SPACE }, replace] }
      : replace,
    pre_tokenizer: null,
    decoder: { type: "Sequence", decoders: [back, { type: "ByteFallback" }, { type: "Fuse" }, ...strip] },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: unknownId === null ? null : tokens[unknownId] },
      ...{ continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true, byte_fallback: true },
      ignore_merges: false,
      vocab: vocabOf(data),
      merges: mergesOf(data),
    },
  };
}

function mergesOf({ tokens, types, scores }: SentencePieceVocabulary): string[] {
  const ids = new Map<string, number>();
  for (let id = tokens.length - 1; id >= 0; id--) if (types[id] === TOKEN.normal) ids.set(tokens[id], id);
  const best = [...ids].sort(([, a], [, b]) => scores[b] - scores[a] || a - b);
  return best.flatMap(([piece]) => {
    const ways: string[] = [];
    for (let cut = 1; cut < piece.length; cut++) {
      const [left, right] = [piece.slice(0, cut), piece.slice(cut)];
      if (ids.has(left) && ids.has(right)) ways.push(`${left} ${right}`);
    }
    return ways;
  });
}
