// What the quantized forms of Hugging Face folders share: how a scheme is known, where it finds the pieces of a matrix,
// and what becomes of them.

import { InputError } from "../core/errors.js";
import type { CodeMatrix, Group, Repacker, WeightData } from "../core/packed.js";
import type { CodeValues, StoredMatrix } from "../core/stored.js";
import type { DType, LazyTensor } from "../core/tensor.js";
import { firstNonFinite, toFloat32 } from "./convert.js";
import { fitsHalf, halfBits, wordsOf } from "./half.js";
import type { Fields } from "./hf-fields.js";
import { blocksOfR8, type CodeShape, groupFor } from "./pack-r8.js";

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

/** Numbers of scales or offsets as f32. Throws InputError for what is not finite. */
export async function readFloats(tensor: LazyTensor): Promise<Float32Array> {
  const values = toFloat32(await readBytes(tensor), tensor.dtype) ?? new Float32Array(0);
  const bad = firstNonFinite(values);
  if (bad < 0) return values;
  throw new InputError(tensor.source.name, tensor.name, `value ${bad} is ${values[bad]}`, "Get the file again");
}

/** Scales of one matrix, and biases or zero points where it has them; index row * rowStride + floor(group / share) * groupStride. */
export interface GroupedValues {
  readonly scales: LazyTensor;
  readonly biases: LazyTensor | null;
  /** Zero points 0..15 (or any numbers, where `exact` is false) at the places of their scales; null: 8. */
  readonly zeros: (() => Promise<Uint8Array | Float32Array>) | null;
  readonly rowStride: number;
  readonly groupStride: number;
  readonly share: number;
  /** Whether f16 holds all of them exactly, or the numbers that tell. */
  readonly exact: boolean | readonly LazyTensor[];
}

/** Whether f16 holds all scales and biases of a matrix: true, or those that are of another type and must be looked at. */
export function areHalves(...tensors: readonly LazyTensor[]): true | readonly LazyTensor[] {
  const others = tensors.filter(({ dtype }) => dtype !== "f16");
  return others.length === 0 || others;
}

/** Bytes that are looked at at once; a multiple of every number's size. */
const LOOK_BYTES = 1 << 22;

async function holdHalves(tensors: readonly LazyTensor[]): Promise<boolean> {
  for (const { source, offset, byteLength, dtype } of tensors) {
    for (let at = 0; at < byteLength; at += LOOK_BYTES) {
      const bytes = await source.read(offset + at, Math.min(LOOK_BYTES, byteLength - at));
      if (!fitsHalf(bytes, dtype)) return false;
    }
  }
  return true;
}

/** f16 bits of scales or offsets. Throws InputError for what is not finite. */
async function readHalves(tensor: LazyTensor): Promise<Uint16Array> {
  const bits = halfBits(await readBytes(tensor), tensor.dtype);
  if (bits) return bits;
  throw new InputError(tensor.source.name, tensor.name, "a scale is not finite", "Get the file again");
}

/** Scales and offsets that f16 holds exactly. */
async function codeValues(values: GroupedValues): Promise<CodeValues> {
  const { scales, biases, zeros, rowStride, groupStride, share } = values;
  const offsets = biases ? await readHalves(biases) : zeros && ((await zeros()) as Uint8Array);
  return { scales: await readHalves(scales), offsets, rowStride, groupStride, share };
}

/** "r8" records, or blocks with f32 scales where f16 could not hold them. @param words as `order` says */
async function packGrouped(
  repacker: Repacker,
  shape: CodeShape,
  order: CodeMatrix["order"],
  words: Uint32Array,
  values: GroupedValues,
): Promise<WeightData> {
  const { scales, biases, rowStride, groupStride, share } = values;
  if (values.exact === true) return repacker.records({ ...shape, order, words, ...(await codeValues(values)) });
  const places = { order, words, rowStride, groupStride, share };
  const zeros = values.zeros && (await values.zeros());
  const steps = await readFloats(scales);
  const edges = biases ? await readFloats(biases) : zeros;
  const blank = { offset: "none8", offsets: null, scales: new Uint16Array(steps.length) } as const;
  const codes = repacker.records({ ...shape, ...places, ...blank });
  const at = (row: number, g: number) => row * rowStride + Math.floor(g / share) * groupStride;
  const offset = edges ? (row: number, g: number) => edges[at(row, g)] : () => 8;
  return blocksOfR8(codes, biases ? "affine4" : "zero4", (row, g) => steps[at(row, g)], offset);
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

/** 4-bit codes as a file has them. */
export interface Codes {
  readonly tensor: LazyTensor;
  readonly order: CodeMatrix["order"];
  readonly values: GroupedValues;
  /** Throws InputError for what the values must not be; before they are used. */
  readonly check?: () => Promise<void>;
  /** Columns are stored in another order: the inputs by column, and the words sorted alike. */
  readonly permutation?: {
    readonly order: () => Promise<Uint32Array>;
    readonly sort: (words: Uint32Array, order: Uint32Array) => Uint32Array;
  };
}

/**
 * A matrix of 4-bit codes with a scale a group; scales that must be looked at are taken to fit f16 until it is settled.
 * Throws InputError for groups of 16 whose scales f16 cannot hold.
 */
export function storedInt4(parts: Parts, shape: CodeShape, codes: Codes): StoredMatrix {
  const { exact } = codes.values;
  if (typeof exact === "boolean") return formOf(parts, shape, codes, exact);
  const settle = async () => formOf(parts, shape, codes, await holdHalves(exact));
  const { raw: _, ...likely } = formOf(parts, shape, codes, true);
  return { ...likely, settle, read: async (repacker) => (await settle()).read(repacker) };
}

function formOf(
  { name, rows, cols, label, tensors }: Parts,
  shape: CodeShape,
  { tensor, order, values: given, check, permutation }: Codes,
  exact: boolean,
): StoredMatrix {
  const { group, offset } = shape;
  const values = { ...given, exact };
  if (!exact && group === 16) {
    const problem = "has groups of 16 with scales that f16 cannot hold exactly";
    throw new InputError(tensors[0].source.name, name, problem, "Use a checkpoint with f16 scales");
  }
  const records = { format: `int4-g${group}` as const, ...(offset === "none8" ? {} : { offset }) };
  const read = async (repacker: Repacker) => {
    await check?.();
    const words = wordsOf(await readBytes(tensor));
    const sorted = permutation ? permutation.sort(words, await permutation.order()) : words;
    return packGrouped(repacker, shape, order, sorted, values);
  };
  const form = {
    ...({ kind: "codes", order } as const),
    async values() {
      await check?.();
      return codeValues(values);
    },
  };
  const { source, offset: at, byteLength } = tensor;
  return {
    name,
    rows,
    cols,
    ...(exact && !permutation ? { raw: { source, offset: at, byteLength, form } } : {}),
    ...(exact ? records : { format: offset === "bias" ? ("affine4" as const) : ("zero4" as const) }),
    label,
    ...filesOf(tensors),
    permuted: permutation !== undefined,
    order: permutation ? async () => Float32Array.from(await permutation.order()) : inOrder(cols),
    read,
  };
}

/** Columns that stand where their inputs do. */
export const inOrder = (cols: number) => async () => Float32Array.from({ length: cols }, (_, column) => column);

/** Bytes and files of the tensors that make up a matrix. */
export function filesOf(tensors: readonly LazyTensor[]) {
  const byteLength = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  return { byteLength, sources: [...new Set(tensors.map(({ source }) => source))] };
}

/** Names X of all tensors `X.suffix`. */
export function basesOf(tensors: TensorMap, suffix: string): string[] {
  return [...tensors.keys()].filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
}
