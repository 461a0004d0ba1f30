// What a compression did and what it cost, as plain values (`nibblemark compress -o json`).

import type { KvFormat } from "./op.js";
import type { Figure } from "./units.js";

/** One stage of the pipeline as it stands on disk. */
export interface StageReport {
  /** `int8 KV`: the result with keys and values of past positions in int8; all others keep them in f32. */
  readonly stage: "original" | "pruned" | "healed" | "quantized" | "int8 KV";
  readonly layers: number;
  /** Bytes of weights on disk, and bits a weight of that. */
  readonly weightBytes: number;
  readonly bitsPerWeight: number;
  /** Weights, KV cache and activations of a run of `contextTokens` positions. */
  readonly runBytes: number;
  readonly contextTokens: number;
  /**
   * klText, klAnswer (nats from the original), top1 (share), perplexity, accuracy; answerShift: KL between the answers with the picture and
   * with a blank one, in nats; decode, prefill (t/s). What could not be measured is absent.
   */
  readonly figures: Readonly<Record<string, Figure>>;
}

export interface CriterionReport {
  readonly criterion: string;
  readonly removed: readonly number[];
  readonly scores: Readonly<Record<string, readonly (number | null)[]>>;
  /** Agreement of its ranking with the first criterion's. */
  readonly kendall: number | null;
  readonly spearman: number | null;
}

export interface CompressionReport {
  readonly schemaVersion: 1;
  readonly input: string;
  readonly output: string;
  readonly plan: string;
  /** Sizes of the model before, and what its decoder's matrices became; bits null: f16; group 0: a whole row. */
  readonly shape: string;
  readonly decoder: { readonly bits: 4 | 8 | null; readonly group: number; readonly meanBits: number | null };
  /** How the result wants its keys and values kept; `run` and `bench` follow it. */
  readonly kv: KvFormat;
  readonly removed: readonly number[];
  readonly stages: readonly StageReport[];
  readonly criteria: readonly CriterionReport[];
  readonly heal: {
    readonly runs: readonly {
      readonly first: number;
      readonly last: number;
      readonly before: number;
      readonly after: number;
    }[];
    /** Of the last SFT: loss on held-out samples at its start and of the values that were kept, and the step that they are from. */
    readonly sft: { readonly start: number; readonly loss: number; readonly step: number } | null;
    /** Loss by step of SFT; heldOut where it was evaluated. */
    readonly log: readonly { readonly step: number; readonly loss: number; readonly heldOut: number | null }[];
  };
  /** By block: what AWQ's search gained over plain rounding, error over error. */
  readonly awq: readonly { readonly layer: number; readonly gain: number }[];
  /** By block and class of token: mean magnitude of what its linears read. Empty without calibration. */
  readonly activity: readonly {
    readonly layer: number;
    readonly classes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  }[];
  readonly seconds: number;
  readonly peakBytes: number | null;
  readonly warnings: readonly string[];
}
