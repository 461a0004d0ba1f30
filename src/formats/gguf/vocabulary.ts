// What both kinds of tokenizers inside a GGUF file share.

export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: ArrayLike<number>;
  readonly ids: ReadonlyMap<string, number>;
}

/** Text between special tokens to ids; `afterSpecial` at the beginning and right behind one. */
export interface Pieces {
  encode(text: string, afterSpecial: boolean): number[];
  decode(ids: readonly number[]): string;
}
