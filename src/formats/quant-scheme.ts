// What the quantized forms of Hugging Face folders share: how a scheme is known, where it finds the pieces of a matrix,
// and what becomes of them.

import { InputError } from "../core/errors.js";
import type { TensorSpec } from "../core/op.js";
import type { Group, PackedInt4, Repacker, WeightData } from "../core/packed.js";
import type { StoredMatrix } from "../core/stored.js";
import type { DType, LazyTensor } from "../core/tensor.js";
import { halfBits } from "./half.js";
import type { Fields } from "./hf-fields.js";
import { groupFor } from "./pack-r8.js";

export type TensorMap = ReadonlyMap<string, LazyTensor>;

export interface SchemeInput {
  /** config.json, for messages. */
  readonly file: string;
  /** `quantization_config`, or whatever stands for it. */
  readonly settings: Fields;
  /** All tensors by canonical name. */
  readonly tensors: TensorMap;
}

export interface Scheme {
  readonly name: string;
  /** True for the settings of this scheme. */
  readonly matches: (settings: Fields) => boolean;
  /** The matrices of the checkpoint, and the names of all tensors that they are made of. Reads headers only. */
  readonly collect: (input: SchemeInput) => Collected | Promise<Collected>;
}

export interface Collected {
  readonly stored: readonly StoredMatrix[];
  readonly used: ReadonlySet<string>;
}

/** One tensor of a matrix; checks type and shape. Throws InputError. */
export function piece(
  tensors: TensorMap,
  name: string,
  dtypes: readonly DType[],
  shape: readonly (number | null)[],
): LazyTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new InputError(name, "", "is missing beside the rest of its matrix", "Get the whole checkpoint");
  const fits = tensor.shape.length === shape.length && shape.every((n, i) => n === null || n === tensor.shape[i]);
  if (fits && dtypes.includes(tensor.dtype)) return tensor;
  const wanted = `${dtypes.join(" or ")} [${shape.map((n) => n ?? "any").join(", ")}]`;
  const problem = `is ${tensor.dtype} [${tensor.shape}], ${wanted} was expected`;
  throw new InputError(tensor.source.name, name, problem, "Use the config.json that belongs to this checkpoint");
}

export const readBytes = (tensor: LazyTensor): Promise<Uint8Array> =>
  tensor.source.read(tensor.offset, tensor.byteLength);

/** f16 bits of scales or offsets. Throws InputError when they are not finite, or no f16 exactly. */
export async function readHalves(tensor: LazyTensor): Promise<Uint16Array> {
  const bits = halfBits(await readBytes(tensor), tensor.dtype);
  if (bits) return bits;
  const problem = `${tensor.dtype} scales that f16 cannot hold exactly`;
  throw new InputError(tensor.source.name, tensor.name, problem, "Use a checkpoint with f16 scales");
}

/** Group of the records for a file's group of `stored` columns. Throws InputError when there is none. */
export function recordGroup(name: string, stored: number, cols: number): Group {
  const group = groupFor(stored, cols);
  if (group !== null && cols % stored === 0) return group;
  const problem = `groups of ${stored} in rows of ${cols} columns`;
  throw new InputError(name, "group_size", problem, "Supported are multiples of 16 that divide the row");
}

export interface Parts {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  readonly label: string;
  readonly tensors: readonly LazyTensor[];
}

/** A matrix in "r8" records. `order` is there for columns that are stored in another order. */
export function storedInt4(
  { name, rows, cols, label, tensors }: Parts,
  group: Group,
  offset: PackedInt4["offset"],
  read: (repacker: Repacker) => Promise<WeightData>,
  order?: () => Promise<Float32Array>,
): StoredMatrix {
  const extra: { offset?: TensorSpec["offset"] & string } = offset === "none8" ? {} : { offset };
  return {
    name,
    rows,
    cols,
    format: `int4-g${group}`,
    ...extra,
    label,
    byteLength: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
    sources: [...new Set(tensors.map(({ source }) => source))],
    permuted: order !== undefined,
    order: order ?? (async () => Float32Array.from({ length: cols }, (_, column) => column)),
    read,
  };
}

/** Names X of all tensors `X.suffix`. */
export function basesOf(tensors: TensorMap, suffix: string): string[] {
  return [...tensors.keys()].filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
}
