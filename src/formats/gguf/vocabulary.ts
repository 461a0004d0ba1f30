// What both kinds of tokenizers inside a GGUF file share.

/** token_type: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. */
export const TOKEN = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;

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
