// The numbers of the GGUF container: types of metadata values and of tensors, with their block sizes.
// Specification: ggml's docs/gguf.md; type ids as in ggml.h.

import { BLOCKS, type BlockType } from "../../core/packed.js";

/** What a tensor of a file is here. `plain` is read as f32 at once. */
export type GgufType =
  | { readonly kind: "plain"; readonly dtype: "f32" | "f64" }
  | { readonly kind: "int4"; readonly type: "q4_0" | "q4_1" }
  | { readonly kind: "blocks"; readonly type: BlockType };

export interface TensorType {
  readonly id: number;
  /** ggml's name. */
  readonly name: string;
  readonly columns: number;
  readonly bytes: number;
  readonly as: GgufType;
}

const blocks = (id: number, type: BlockType): TensorType => {
  const name = type.toUpperCase().replace("_K", "_K");
  return { id, name, ...BLOCKS[type], as: { kind: "blocks", type } };
};

/** Every tensor type that is read. */
export const TENSOR_TYPES: readonly TensorType[] = [
  { id: 0, name: "F32", columns: 1, bytes: 4, as: { kind: "plain", dtype: "f32" } },
  blocks(1, "f16"),
  { id: 2, name: "Q4_0", columns: 32, bytes: 18, as: { kind: "int4", type: "q4_0" } },
  { id: 3, name: "Q4_1", columns: 32, bytes: 20, as: { kind: "int4", type: "q4_1" } },
  blocks(6, "q5_0"),
  blocks(7, "q5_1"),
  blocks(8, "q8_0"),
  blocks(10, "q2_k"),
  blocks(11, "q3_k"),
  blocks(12, "q4_k"),
  blocks(13, "q5_k"),
  blocks(14, "q6_k"),
  blocks(20, "iq4_nl"),
  { id: 28, name: "F64", columns: 1, bytes: 8, as: { kind: "plain", dtype: "f64" } },
  blocks(30, "bf16"),
];

/** Names of types that exist but are not read, for messages. */
export const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
]);

/** A metadata value; 64-bit integers beyond 2^53 are refused, arrays hold one kind. */
export type MetaValue = number | boolean | string | MetaArray;
export type MetaArray = readonly (number | boolean | string)[] | Float32Array | Int32Array | Uint8Array;

/** Bytes of the fixed-size value types: u8 i8 u16 i16 u32 i32 f32 bool, then (10..12) u64 i64 f64. */
export const VALUE_BYTES: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
export const TYPE_STRING = 8;
export const TYPE_ARRAY = 9;
