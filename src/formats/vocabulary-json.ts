// tokenizer.json as data: byte-level BPE by the name of its word rule, and SentencePiece's BPE, whose merges are turned back
// into scores. What another format cannot hold is refused: a text must give the same tokens there.

import { InputError } from "../core/errors.js";
import { TOKEN, type VocabularyData } from "../core/vocabulary.js";
import { wordRuleName } from "./gguf/bpe.js";

export interface TokenizerJson {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
  readonly model?: {
    readonly type?: string;
    readonly vocab?: object;
    readonly merges?: readonly (string | readonly string[])[];
    readonly byte_fallback?: boolean;
    readonly unk_token?: string | null;
  };
}

type Special = Pick<VocabularyData, "bosId" | "eosId" | "addsBos" | "template">;

const SPACE = "\u2581";

/** @param file name for messages. @throws InputError for other kinds of tokenizers */
export function vocabularyOfJson(file: string, json: TokenizerJson, special: Special): VocabularyData {
  const fail = (field: string, problem: string) =>
    new InputError(file, field, problem, "Only byte-level BPE and SentencePiece's BPE can be written to other formats");
  const { type, vocab, merges, byte_fallback: fallback, unk_token: unknown } = json.model ?? {};
  if (type !== "BPE" || !vocab || !merges) throw fail("model", `is ${type ?? "unknown"}`);
  const pairs = merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" ")));
  const ids = vocab as Readonly<Record<string, number>>;
  const { tokens, types } = tokenLists(json, ids, fallback ?? false, fail);
  const unknownId = typeof unknown === "string" && unknown in ids ? ids[unknown] : null;
  if (unknownId !== null) types[unknownId] = TOKEN.unknown;
  const common = { tokens, types, unknownId, ...special };
  if (fallback !== true) {
    const rule = wordRuleName(json.pre_tokenizer);
    if (rule === null) throw fail("pre_tokenizer", "is a rule that llama.cpp has no name for");
    // llama.cpp leaves texts in the form they come in; nearly all are NFC already.
    const form = (json.normalizer as { type?: string } | null)?.type ?? "NFC";
    if (form !== "NFC") throw fail("normalizer", `${form} is not done by llama.cpp`);
    return { kind: "bpe", ...common, merges: pairs, rule };
  }
  const spacePrefix = prefixOf(json);
  if (spacePrefix === null) throw fail("normalizer", "is not SentencePiece's");
  return { kind: "sentencepiece", ...common, scores: scoresOf(tokens, types, pairs, fail), spacePrefix };
}

function tokenLists(
  json: TokenizerJson,
  ids: Readonly<Record<string, number>>,
  bytes: boolean,
  fail: (field: string, problem: string) => InputError,
) {
  const added = json.added_tokens ?? [];
  const most = Math.max(...Object.values(ids), ...added.map(({ id }) => id)) + 1;
  const listed = Object.keys(ids).length + added.length;
  if (!Number.isSafeInteger(most) || most < 1 || most > 2 * listed + 65536) {
    throw fail("model.vocab", `gives ids up to ${most - 1} to ${listed} tokens`);
  }
  const tokens = Array.from({ length: most }, (_, id) => `[PAD${id}]`);
  const types = new Array<number>(most).fill(TOKEN.unused);
  const put = (id: number, content: string, kind: number) => {
    if (!Number.isInteger(id) || id < 0) throw fail("model.vocab", `gives ${JSON.stringify(content)} the id ${id}`);
    tokens[id] = content;
    types[id] = kind;
  };
  for (const [content, id] of Object.entries(ids)) {
    put(id, content, bytes && /^<0x[0-9A-Fa-f]{2}>$/.test(content) ? TOKEN.byte : TOKEN.normal);
  }
  for (const { id, content, special } of added) put(id, content, special ? TOKEN.control : TOKEN.user);
  return { tokens, types };
}

/** Whether a space is put before a text; null for a tokenizer that treats spaces in another way. */
function prefixOf({ normalizer, pre_tokenizer: cutter }: TokenizerJson): boolean | null {
  const pre = cutter as { type?: string; prepend_scheme?: string; replacement?: string } | null;
  if (pre?.type === "Metaspace" && pre.replacement === SPACE && !normalizer) return pre.prepend_scheme !== "never";
  if (pre) return null;
  const one = normalizer as { type?: string; normalizers?: unknown[] } | null;
  const steps = (one?.type === "Sequence" ? (one.normalizers ?? []) : [one]) as {
    type?: string;
    prepend?: string;
    pattern?: { String?: string };
    content?: string;
  }[];
  const prepends = steps[0]?.type === "Prepend" && steps[0].prepend === SPACE;
  const [replace, more] = steps.slice(prepends ? 1 : 0);
  const isReplace = replace?.type === "Replace" && replace.pattern?.String === " " && replace.content === SPACE;
  return isReplace && more === undefined ? prepends : null;
}

/**
 * SentencePiece joins the neighbours with the best-scored piece, Hugging Face those of the earliest merge: the same where
 * every way to make a piece is a merge, as transformers' converter writes them. @throws InputError otherwise
 */
function scoresOf(
  tokens: readonly string[],
  types: readonly number[],
  merges: readonly string[],
  fail: (field: string, problem: string) => InputError,
): Float32Array {
  const rank = new Map<string, number>();
  const known = new Set(merges);
  for (const merge of merges) {
    const piece = merge.replace(" ", "");
    if (!rank.has(piece)) rank.set(piece, rank.size);
  }
  const normal = new Set(tokens.filter((_, id) => types[id] === TOKEN.normal));
  for (const piece of normal) {
    for (let cut = 1; cut < piece.length; cut++) {
      const [left, right] = [piece.slice(0, cut), piece.slice(cut)];
      if (normal.has(left) && normal.has(right) && !known.has(`${left} ${right}`)) {
        throw fail(
          "model.merges",
          `do not join ${JSON.stringify(left)} and ${JSON.stringify(right)}, SentencePiece would`,
        );
      }
    }
  }
  // Pieces that no merge makes (single characters) come after all others.
  return Float32Array.from(tokens, (piece, id) => {
    if (types[id] !== TOKEN.normal) return 0;
    return -(rank.get(piece) ?? rank.size + id);
  });
}
