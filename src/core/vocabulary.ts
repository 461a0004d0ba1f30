// A tokenizer as data: what a file of another format needs to hold the same one.

/** Kinds of tokens by GGUF's numbers (token_type in ggml's docs/gguf.md). */
export const TOKEN = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;

interface Common {
  /** Text of each id. */
  readonly tokens: readonly string[];
  /** [tokens] of TOKEN */
  readonly types: readonly number[];
  readonly bosId: number;
  readonly eosId: number;
  /** null: there is none. */
  readonly unknownId: number | null;
  /** Whether a text begins with the begin-of-text token. */
  readonly addsBos: boolean;
  /** Jinja source of the chat template. */
  readonly template: string | null;
}

/** Byte-level BPE; `rule` is llama.cpp's name of how a text is cut into words, a merge is two pieces with a space between. */
export interface BpeVocabulary extends Common {
  readonly kind: "bpe";
  readonly merges: readonly string[];
  readonly rule: string;
}

/** SentencePiece's BPE: of all neighbours whose joined piece is a token, those with the highest score are joined first. */
export interface SentencePieceVocabulary extends Common {
  readonly kind: "sentencepiece";
  /** [tokens] */
  readonly scores: ArrayLike<number>;
  /** Whether a space is put before a text. */
  readonly spacePrefix: boolean;
}

export type VocabularyData = BpeVocabulary | SentencePieceVocabulary;
