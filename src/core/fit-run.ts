// What a run of a whole real shape in one memory leaves behind: sizes, times, and the peak of the process beside half precision.

/** Bytes of weights and caches by part, as they lie in linear memory. */
export interface PartBytes {
  readonly part: string;
  readonly form: string;
  readonly bytes: number;
}

export interface FitRun {
  readonly schemaVersion: 1;
  readonly shape: string;
  readonly layers: number;
  readonly allLayers: number;
  readonly target: string;
  readonly budgetBytes: number;
  readonly seed: number;
  readonly imageTokens: number;
  readonly textTokens: number;
  readonly parts: readonly PartBytes[];
  /** The one linear memory of the model. */
  readonly memoryBytes: number;
  readonly memoryPages: number;
  /** Of the whole process, largest resident size; null where the system does not tell. */
  readonly peakBytes: number | null;
  /** All layers' weights in half precision. */
  readonly halfBytes: number;
  readonly loadNs: number;
  /** One entry a round. */
  readonly visionNs: readonly number[];
  readonly prefillNs: readonly number[];
  readonly decodeNs: readonly number[];
  readonly decodeTokens: number;
  /** Logits that were looked at; all were finite, or the run failed. */
  readonly finiteLogits: number;
  /** The greedy tokens, the same for the same seed and kernels. */
  readonly tokens: readonly number[];
}
