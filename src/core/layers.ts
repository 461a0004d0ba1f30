// A forward pass one block at a time, with what flows inside a block handed out: what compression looks at. Only one block's
// weights are in memory; the caller keeps the residual stream of each sample.

/** What can be had from inside a block; each [rows, its width], for every row of a sample. */
export type Tap =
  /** Input of q, k, v: after the first norm. */
  | "attentionIn"
  /** Input of o: [heads * headDim]. */
  | "attended"
  /** Residual stream between attention and MLP. */
  | "middle"
  /** Input of gate and up: after the second norm. */
  | "ffnIn"
  /** Input of down: silu(gate) * up, [ffn]. */
  | "activated"
  /** What the MLP adds to the residual stream. */
  | "branch"
  /** Residual stream after the block. */
  | "out";

export type Taps = Readonly<Partial<Record<Tap, Float32Array>>>;

/** f32 values of a tensor of the model by canonical name. */
export type FloatsOf = (name: string) => Promise<Float32Array>;

/** What a sample shows a model that sees, or null. */
export interface LayerSample {
  readonly tokens: readonly number[];
  /** Normalised planes of its picture; null for text. */
  readonly pixels: (() => Float32Array) | null;
}

/** The model's parts, run one after another in f32. Must be closed. */
export interface StreamedForward {
  readonly hidden: number;
  readonly layers: number;
  /** Longest sample. */
  readonly maxRows: number;
  /** The residual stream before the first block, [tokens, hidden], of every sample. */
  embed(samples: readonly LayerSample[]): Promise<Float32Array[]>;
  /** Loads block `layer`; `floats` gives its tensors by canonical name. */
  load(layer: number, floats?: FloatsOf): Promise<void>;
  /** Runs the loaded block over one sample from position 0 on. */
  run(x: Float32Array, taps: readonly Tap[]): Promise<Taps>;
  /** Logits [rows, vocab] of a residual stream that has left the last block. */
  logits(x: Float32Array): Promise<Float32Array>;
  close(): Promise<void>;
}
