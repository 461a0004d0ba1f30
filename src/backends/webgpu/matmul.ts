// Products: which kernel multiplies which format, for one token or many, with f32 or int8 activations.

import { InputError } from "../../core/errors.js";
import { type ActivationFormat, activationGroup, type StorageFormat } from "../../core/op.js";
import { BLOCKS, type BlockType, isBlockType } from "../../core/packed.js";
import { groupIn, type Held, type Tensor } from "./memory.js";
import { dispatch, type Place, type Recording, type Store, scratchOf } from "./record.js";
import type { KernelSpec } from "./shaders.js";

/** A variant of the kernels for few tokens: invocations of a workgroup, and whether their sums meet in subgroups. */
export interface Choice {
  readonly size: number;
  readonly subgroups: boolean;
}

/** What the device lets kernels use. */
export interface Abilities {
  readonly dot4: boolean;
  /** Products of int4 weights in f16; asked for, since it is less exact. */
  readonly f16: boolean;
}

export interface Lowering {
  readonly store: Store;
  readonly recording: Recording;
  readonly tensors: readonly Tensor[];
  readonly abilities: Abilities;
  /** The variant for products of few tokens. */
  choiceOf(weight: Tensor, activations: ActivationFormat): Choice;
  /** Bound where a kernel has nothing to read. */
  readonly nothing: Held;
}

const OFFSETS = { none8: 0, zeroU4: 1, bias: 2 } as const;

type Weights = Pick<KernelSpec, "consts" | "enable"> & { readonly parts: readonly string[] };

/** The parts that read weights of a format. */
export function weightsParts(format: StorageFormat, offset: Tensor["offset"], { dot4, f16 }: Abilities): Weights {
  const dot = dot4 ? "dot4" : "dot4-plain";
  const group = groupIn(format);
  if (group) {
    const parts = ["matmul", "int4", dot, f16 ? "lanes-f16" : "lanes"];
    return { parts, consts: { GROUP: group, OFFSET: OFFSETS[offset] }, enable: f16 ? ["f16"] : [] };
  }
  if (format === "int8") return { parts: ["matmul", "int8", dot], consts: { OFFSET: 0 } };
  if (!isBlockType(format)) return { parts: ["matmul", "f32", "rows"] };
  const { columns, bytes } = BLOCKS[format];
  const consts = { TYPE: BLOCK_TYPES.indexOf(format), BLOCK_COLUMNS: columns, BLOCK_BYTES: bytes };
  return { parts: ["matmul", "blocks", "rows"], consts };
}

/** Numbers of the types in webgpu/blocks.wgsl. */
const BLOCK_TYPES = Object.keys(BLOCKS) as BlockType[];

/** Few tokens share nothing that a tile could keep. */
export const TILE_TOKENS = 5;

/** The kernel of a product. @param share columns of x that share an int8 scale; null: x is f32 */
export function productKernel(
  weight: Tensor,
  share: number | null,
  tokens: number,
  abilities: Abilities,
  choice: Choice,
): KernelSpec {
  const { format, cols } = weight.spec;
  const { parts, consts, enable = [] } = weightsParts(format, weight.offset, abilities);
  const codes = share !== null && (format === "int8" || groupIn(format) > 0);
  const inputs = share !== null ? "inputs-codes" : cols % 8 === 0 ? "inputs-vectors" : "inputs";
  const shared = { ...consts, ...(share === null ? {} : { SHARE: share }) };
  if (tokens >= TILE_TOKENS) {
    const lines = share === 16 ? 4 : 8;
    const number = enable.includes("f16") ? "tile-f16" : "tile";
    const tile = codes
      ? { parts: [...parts, inputs, "tiles-i8", "results"], consts: { ...shared, LINES: lines } }
      : { parts: [...parts, inputs, "tiles", number, "results"], consts: shared };
    return { ...tile, enable };
  }
  const reduce = choice.subgroups ? "reduce-subgroups" : "reduce";
  const steps = share === null ? "steps" : "steps-i8";
  return {
    parts: [...parts, inputs, steps, reduce, "decode", "results"],
    consts: { ...shared, SIZE: choice.size },
    enable: choice.subgroups ? [...enable, "subgroups"] : enable,
  };
}

export interface Product {
  readonly weight: Tensor;
  readonly bias: Held | null;
  readonly x: Held;
  /** Tells apart what x holds, for activations that several products share. */
  readonly xKey: string;
  readonly xRow: number;
  readonly out: Held;
  readonly outRow: number;
  readonly outCols: number;
  readonly tokens: number;
  readonly activations: ActivationFormat;
}

/** out[outRow + i] = W x[xRow + i] (+ bias) */
export function multiply(lowering: Lowering, product: Product): void {
  const { store, recording, abilities } = lowering;
  const { weight, x, out, tokens, outRow, outCols, xRow, activations } = product;
  const share = activations === "int8" ? activationGroup(weight.spec.format) : null;
  const { cols } = weight.spec;
  const codes = share === null ? null : prepare(lowering, product, share);
  const input: Place = codes ? codes.held : x;
  const choice = lowering.choiceOf(weight, activations);
  const kernel = productKernel(weight, share, tokens, abilities, choice);
  for (const { held, rows, firstRow } of weight.chunks) {
    const groups = tokens >= TILE_TOKENS ? Math.ceil(rows / 32) * Math.ceil(tokens / 32) : Math.ceil(rows / 8) * tokens;
    const [xFirst, scalesAt] = codes ? [0, codes.scalesAt] : [xRow, 0];
    const params = [rows, cols, tokens, firstRow, outCols, xFirst, outRow, product.bias ? 1 : 0, scalesAt];
    dispatch(store, recording, kernel, [held, input, product.bias ?? lowering.nothing, out], params, groups);
  }
}

/** x as int8 codes; products that follow each other with the same x share them. */
function prepare({ store, recording }: Lowering, { x, xKey, xRow, tokens, weight }: Product, share: number) {
  const { cols } = weight.spec;
  const shares = Math.ceil(cols / share);
  const scalesAt = (tokens * shares * share) / 4;
  const bytes = (scalesAt + tokens * shares) * 4;
  if (bytes > store.maxBinding) {
    throw new InputError(
      weight.spec.name,
      "rows",
      `${tokens} rows are too many at once for this device`,
      "Use a shorter prompt",
    );
  }
  const held = scratchOf(store, "activations", bytes);
  const key = `${xKey} ${xRow} ${tokens} ${share}`;
  if (recording.prepared === key) return { held, scalesAt };
  recording.prepared = key;
  const kernel: KernelSpec = { parts: ["quantize"], consts: { SHARE: share } };
  dispatch(store, recording, kernel, [x, held], [cols, tokens, xRow, scalesAt], Math.ceil((tokens * shares) / 64));
  return { held, scalesAt };
}
