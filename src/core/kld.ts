// Distributions of a base model as llama.cpp keeps them, and how far another model's are from them.

/** Tokens and log-probabilities of a base over chunks of a text (llama.cpp's `--kl-divergence-base`). */
export interface KldHeader {
  /** Tokens of a chunk. */
  readonly contextTokens: number;
  readonly vocab: number;
  readonly chunks: number;
  /** [chunks * contextTokens] */
  readonly tokens: Int32Array;
}

/** Scored positions of a chunk: the second half but its last token. */
export function scoredRows(contextTokens: number): number {
  return contextTokens - 1 - Math.floor(contextTokens / 2);
}

/** Bytes of one position's record: two f32, then an even number of u16. */
export function kldRecordBytes(vocab: number): number {
  return 8 + 4 * Math.floor((vocab + 1) / 2);
}

/** Figures of one position. */
export interface KldRow {
  /** KL(base || model), nats. */
  readonly kl: number;
  /** -ln p(the text's next token). */
  readonly nllBase: number;
  readonly nllModel: number;
  /** p(the text's next token). */
  readonly pBase: number;
  readonly pModel: number;
  /** Both find the same token most likely. */
  readonly same: boolean;
}

/** Records and comparisons; the loops are in assembly/kernels/kld.ts. */
export interface KldCoder {
  /** logits [rows, vocab] to records. */
  encode(logits: Float32Array, vocab: number): Uint8Array;
  /** One entry a row. Throws RangeError where sizes do not fit. */
  compare(records: Uint8Array, logits: Float32Array, targets: Int32Array): KldRow[];
}

/** Where a base's records come from, chunk by chunk. */
export interface KldBase {
  readonly header: KldHeader;
  /** Records [scoredRows] of a chunk. */
  records(chunk: number): Promise<Uint8Array>;
}

/** A mean or share with its standard error. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

export interface KldSummary {
  readonly tokens: number;
  readonly perplexity: Estimate;
  readonly basePerplexity: Estimate;
  /** exp(mean nll model - mean nll base), its error from the covariance of both. */
  readonly perplexityRatio: Estimate;
  readonly kl: Estimate;
  /** Percentile -> KL divergence in nats; 100 is the largest. */
  readonly klPercentiles: Readonly<Record<string, number>>;
  /** p_model - p_base of the text's token. */
  readonly deltaP: Estimate;
  readonly deltaPercentiles: Readonly<Record<string, number>>;
  readonly rmsDeltaP: Estimate;
  readonly sameTop: Estimate;
}
