// What the trainer eats: pictures and token sequences of one optimizer step (one shard of it).
// Plain data, so that a data source is any function (seed, step, shard) -> TrainBatch.

/** One packed sequence of T tokens. Several questions on one picture share its prefix and do not see each other. */
export interface TrainSequence {
  /** Index of its picture in the batch, or -1 for plain text. */
  readonly image: number;
  /** [T] token ids; the image tokens stand as placeholders of the tokenizer's `<image>` id. */
  readonly tokens: Int32Array;
  /** [T] RoPE position of each token; segments restart right after the shared prefix. */
  readonly positions: Int32Array;
  /** [T] 0 = shared prefix; token i attends to j <= i when segments[j] is 0 or equals segments[i]. */
  readonly segments: Int32Array;
  /** [T] the token to predict at each place, or -1 for none. */
  readonly targets: Int32Array;
  /** [T] loss weight of each target. */
  readonly weights: Float32Array;
}

/** One shard of one optimizer step. */
export interface TrainBatch {
  /** [images, 64, 64, 3] bytes, row-major, RGB. */
  readonly pixels: Uint8Array;
  readonly sequences: readonly TrainSequence[];
  /**
   * [images, 6] labels for pre-training the vision tower: the digits of the four cells
   * (top left, top right, bottom left, bottom right), the shape, the colour; -1 where there is none.
   */
  readonly labels: Int32Array;
}

/** A deterministic source of batches: equal arguments give equal batches. */
export type BatchSource = (step: number, shard: number) => TrainBatch;
