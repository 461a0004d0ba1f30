// The forward pass as data: logical ops over numbered tensors. A backend lowers them (fusion is its own business);
// the op list and the bytes it touches never change with the backend. One submitted list is one epoch.

import { BLOCKS, type BlockType } from "./packed.js";

export type TensorId = number;

export type Part = "vision" | "projector" | "decoder" | "embedding";
export type TensorClass = "weights" | "kv" | "activations" | "input";
export type StorageFormat = "f32" | "int8" | "int4-g16" | "int4-g32" | "int4-g64" | "int4-g128" | BlockType;
export type ActivationFormat = "f32" | "int8";
/** Keys and values of positions that were seen. */
export type KvFormat = "f32" | "int8";

/** What a tensor is; `id` is its index in the graph's tensor table. A vector has rows = 1. */
export interface TensorSpec {
  readonly id: TensorId;
  readonly name: string;
  readonly class: TensorClass;
  readonly part: Part;
  /** Transformer layer, or -1. */
  readonly layer: number;
  readonly format: StorageFormat;
  /** Weights: [outputs, inputs]. Activations and KV: [most rows, width]. */
  readonly rows: number;
  readonly cols: number;
  /** int4: what stands in a record beside the scales (core/packed.ts); absent: nothing. */
  readonly offset?: "zeroU4" | "bias";
  /** Keys and values in int8: columns of a head, which share one f16 scale in each row (absent: all). */
  readonly headDim?: number;
}

/** Columns of an int8 cache that share a scale. */
export const headDimOf = ({ headDim, cols }: TensorSpec): number => headDim ?? cols;

/** Rotation of adjacent pairs (llama2.c, original LLaMA) or of halves (Hugging Face). */
export type RopeStyle = "adjacent" | "half";

/**
 * One operation. `x`, `out` and so on are tensor ids, activations are row-major f32 [rows, cols of their spec];
 * `rows` is how many rows take part, starting at row 0 unless an op names a first row.
 */
export type Op =
  /** out[i] = table[tokens[i]], from row outRow of out on. */
  | {
      readonly kind: "embed";
      readonly tokens: readonly number[];
      readonly table: TensorId;
      readonly out: TensorId;
      readonly outRow: number;
    }
  /** out[outRow + i] = x[xRow + i]. */
  | {
      readonly kind: "copy";
      readonly x: TensorId;
      readonly xRow: number;
      readonly out: TensorId;
      readonly outRow: number;
      readonly rows: number;
    }
  /** Splits `image` [3 * size, size] (planes, normalised f32) into patches and multiplies: out[outRow + p] = W patch(p), patches in row order. W: [hidden, 3 * patch * patch]. */
  | {
      readonly kind: "patchEmbed";
      readonly image: TensorId;
      readonly weight: TensorId;
      readonly out: TensorId;
      readonly outRow: number;
      readonly imageSize: number;
      readonly patch: number;
    }
  /**
   * out[i] = W x[xRow + i] (+ bias), W [outputs, inputs]; `activations` says in which precision x enters the product:
   * int8 is symmetric with one scale (largest magnitude / 127) per `activationGroup` columns, codes to nearest even.
   */
  | {
      readonly kind: "matmul";
      readonly x: TensorId;
      readonly xRow: number;
      readonly weight: TensorId;
      readonly bias: TensorId | null;
      readonly out: TensorId;
      readonly rows: number;
      readonly activations: ActivationFormat;
    }
  /** out[i] = x[xRow + i] / rms(x) * weight (Zhang & Sennrich 2019). */
  | {
      readonly kind: "rmsnorm";
      readonly x: TensorId;
      readonly xRow: number;
      readonly weight: TensorId;
      readonly out: TensorId;
      readonly rows: number;
      readonly eps: number;
    }
  | {
      readonly kind: "layernorm";
      readonly x: TensorId;
      readonly weight: TensorId;
      readonly bias: TensorId;
      readonly out: TensorId;
      readonly rows: number;
      readonly eps: number;
    }
  /**
   * Rotary embedding in place on x [rows, heads * headDim]; row i has position start + i (Su et al. 2021). Pair j turns
   * by position * theta^(-2j / headDim) / factors[j]; without `factors` they are 1. `gain`: see config.ts.
   */
  | {
      readonly kind: "rope";
      readonly x: TensorId;
      readonly rows: number;
      readonly start: number;
      readonly heads: number;
      readonly headDim: number;
      readonly theta: number;
      readonly style: RopeStyle;
      readonly factors?: readonly number[];
      readonly gain?: number;
    }
  /**
   * Appends k and v rows to the caches [context, kvHeads * headDim] from row start on. Into int8 caches each head of a row goes
   * with a scale, half(largest magnitude / 127), and codes nearest(x / scale), to even, -128..127.
   */
  | {
      readonly kind: "kvStore";
      readonly k: TensorId;
      readonly v: TensorId;
      readonly kCache: TensorId;
      readonly vCache: TensorId;
      readonly rows: number;
      readonly start: number;
    }
  /**
   * Softmax attention of q rows (positions start..) over k and v rows 0..context-1, heads share kvHeads in groups;
   * causal: query i sees keys 0..start+i. Scores are scaled by 1/sqrt(headDim).
   */
  | {
      readonly kind: "attention";
      readonly q: TensorId;
      readonly k: TensorId;
      readonly v: TensorId;
      readonly out: TensorId;
      readonly rows: number;
      readonly start: number;
      readonly context: number;
      readonly heads: number;
      readonly kvHeads: number;
      readonly headDim: number;
      readonly causal: boolean;
    }
  /** out[i][c] = x[i][order[c]]: order is a row of column indices as f32, [1, cols of out]. out is not x. */
  | {
      readonly kind: "gather";
      readonly x: TensorId;
      readonly order: TensorId;
      readonly out: TensorId;
      readonly rows: number;
    }
  /** out = silu(gate) * up (Shazeer 2020). */
  | {
      readonly kind: "swiglu";
      readonly gate: TensorId;
      readonly up: TensorId;
      readonly out: TensorId;
      readonly rows: number;
    }
  /** Elementwise, out may be x. gelu is the exact erf form, quickGelu is x * sigmoid(1.702 x). */
  | {
      readonly kind: "silu" | "gelu" | "quickGelu";
      readonly x: TensorId;
      readonly out: TensorId;
      readonly rows: number;
    }
  /** out[i] = x[i] + y[i]; y with one row is added to every row. out may be x. */
  | { readonly kind: "add"; readonly x: TensorId; readonly y: TensorId; readonly out: TensorId; readonly rows: number }
  /** Row-wise softmax, out may be x. */
  | { readonly kind: "softmax"; readonly x: TensorId; readonly out: TensorId; readonly rows: number }
  /** What the caller gets back: rows of x as f32, or the index of the largest value of each row. */
  | {
      readonly kind: "output";
      readonly x: TensorId;
      readonly xRow: number;
      readonly rows: number;
      readonly as: "values" | "argmax";
    };

export type OpKind = Op["kind"];

/** Columns of x that share one int8 scale beside weights of a format; null: such weights always meet f32 activations. */
export function activationGroup(format: StorageFormat): number | null {
  switch (format) {
    case "f32":
    case "f16":
    case "bf16":
    case "nf4":
    case "affine4":
    case "affine8":
    case "zero4":
    case "zero8":
      return null;
    case "int8":
    case "int4-g32":
    case "q5_0":
    case "q5_1":
    case "q8_0":
    case "q2_k":
    case "q3_k":
    case "q4_k":
    case "q5_k":
    case "q6_k":
    case "iq4_nl":
      return 32;
    case "int4-g16":
      return 16;
    case "int4-g64":
      return 64;
    case "int4-g128":
      return 128;
    default:
      return format satisfies never;
  }
}

/** Bits a weight costs in a format, scales included (int4 g32: 4.5); what every GB/s of weights is counted with. */
export function bitsPerWeight(format: StorageFormat, cols: number): number {
  switch (format) {
    case "f32":
      return 32;
    case "int8":
      return 8 + 32 / cols;
    case "int4-g16":
      return 5;
    case "int4-g32":
      return 4.5;
    case "int4-g64":
      return 4.25;
    case "int4-g128":
      return 4.125;
    default:
      return (BLOCKS[format].bytes * 8) / BLOCKS[format].columns;
  }
}

/** Logical bytes of `rows` rows of a tensor: the same on every backend, alignment and tile padding not counted. */
export function tensorBytes(spec: TensorSpec, rows: number = spec.rows): number {
  if (spec.class === "kv" && spec.format === "int8") return rows * spec.cols * (1 + 2 / headDimOf(spec));
  // An offset is one more half for each scale.
  const extra = spec.offset ? bitsPerWeight(spec.format, spec.cols) - 4 : 0;
  return Math.ceil((rows * spec.cols * (bitsPerWeight(spec.format, spec.cols) + extra)) / 8);
}
