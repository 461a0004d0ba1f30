// The type that a model's own numbers have: what is written without rounding keeps it, so that no bit of a weight changes.

import type { DType } from "../core/tensor.js";
import type { OwnType, SourceTensor } from "../core/write.js";

const OWN: Partial<Record<DType, OwnType>> = {
  f64: "f32",
  f32: "f32",
  bf16: "bf16",
  f16: "f16",
  f8e4m3: "f16",
  f8e5m2: "f16",
};

/** The type that holds what a file of `dtype` holds (of f64 what f32 does: more is never read). */
export const ownTypeOf = (dtype: DType): OwnType | undefined => OWN[dtype];

const widest = (types: readonly (OwnType | undefined)[]): OwnType =>
  types.includes("f32") ? "f32" : types.includes("bf16") ? "bf16" : "f16";

/** The widest type of a model's matrices; vectors are often wider than the model says it is. */
export const ownType = ({ tensors }: { readonly tensors: readonly Pick<SourceTensor, "shape" | "dtype">[] }): OwnType =>
  widest(tensors.flatMap(({ shape, dtype }) => (shape.length > 1 ? [dtype] : [])));

/** What a tensor is written as: its own type. Changed values have none: f16 in a model of f16, else f32. @param reordered its rows are */
export function writtenTypeOf({ dtype }: SourceTensor, model: OwnType, reordered: boolean): OwnType {
  if (dtype === "bf16") return reordered ? "f32" : dtype;
  return dtype ?? (model === "f16" ? "f16" : "f32");
}

/** bf16 of values that are bf16 exactly: the upper halves of their bits. */
export function bf16Bytes(name: string, values: Float32Array): Uint8Array {
  const halves = new Uint16Array(values.buffer, values.byteOffset, values.length * 2);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    if (halves[2 * i] !== 0) throw new Error(`${name} was said to be bf16, value ${i} is not`);
    bits[i] = halves[2 * i + 1];
  }
  return new Uint8Array(bits.buffer);
}
