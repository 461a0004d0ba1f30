// Writes a model as a Hugging Face folder, in half or full precision or with AutoAWQ's int4: safetensors (shards with an
// index over some GB), config.json, and the files that come along. One tensor is in memory at a time.

import { InputError } from "../core/errors.js";
import type { Group, PackedInt4 } from "../core/packed.js";
import type { LossRow, OutputFolder, OwnType, Rounder, SourceTensor, WriteSource } from "../core/write.js";
import { awqSettings, awqTensors, checkAwqSizes } from "./autoawq-write.js";
import { type LossLog, lossLog } from "./loss.js";
import { mlxSettings, mlxTensors } from "./mlx-write.js";
import { bf16Bytes, ownType, writtenTypeOf } from "./own-type.js";
import { orderedRecords, orderedRows, rowOrder } from "./row-order.js";
import { byteLengthOf, type OutputTensor, safetensorsChunks } from "./safetensors-write.js";

export interface HfPlan {
  /**
   * awq: linears of the decoder's layers in int4 groups, the rest in f16. mlx: whatever has codes of its own keeps them. own: every tensor
   * in the type of its file (formats/own-type.ts).
   */
  readonly form: { readonly kind: "f16" | "f32" | "mlx" | "own" } | { readonly kind: "awq"; readonly group: Group };
  /** config.json of the model as it is written; what it says of quantization and types is replaced. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Tokenizer, generation and preprocessor files. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** `__metadata__` of the weights: where they come from. */
  readonly provenance: Readonly<Record<string, string>>;
  /** Most bytes of tensors in one file; 5e9 unless given. */
  readonly shardBytes?: number;
}

export interface WriteParts {
  readonly rounder: Rounder;
  /** Called before each tensor; what it throws ends the writing. */
  readonly onTensor?: (name: string, index: number, count: number) => void | Promise<void>;
}

/** What stands in the folder, and what rounding cost. */
export interface Written {
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly loss: readonly LossRow[];
}

const SHARD_BYTES = 5e9;

/** What AutoAWQ quantizes: the linears of the decoder's layers. */
const AWQ_LINEAR = /^model\.layers\.\d+\.(?:self_attn|mlp)\.\w+_proj\.weight$/;

/**
 * Checks sizes, then writes config, files and weights into `folder`, which the caller commits.
 * @throws InputError before anything is written where a form does not fit, with a proposal
 */
export async function writeHfFolder(
  folder: OutputFolder,
  source: WriteSource,
  plan: HfPlan,
  parts: WriteParts,
): Promise<Written> {
  const log = lossLog(parts.rounder);
  const all = outputs(source, plan, parts, log);
  const shards = shardsOf(all, plan.shardBytes ?? SHARD_BYTES);
  const files: { name: string; bytes: number }[] = [];
  const put = async (name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
    files.push({ name, bytes: await folder.write(name, chunks) });
  };
  await put("config.json", [jsonBytes(settingsOf(source, plan, all))]);
  for (const { name, bytes } of plan.files) await put(name, [bytes]);
  const nameOf = (index: number) =>
    shards.length === 1 ? "model.safetensors" : `model-${place(index + 1)}-of-${place(shards.length)}.safetensors`;
  for (const [index, tensors] of shards.entries()) {
    await put(nameOf(index), safetensorsChunks(tensors, { format: "pt", ...plan.provenance }));
  }
  if (shards.length > 1) {
    const map = shards.flatMap((tensors, index) => tensors.map(({ name }) => [name, nameOf(index)] as const));
    const total = shards.flat().reduce((sum, tensor) => sum + byteLengthOf(tensor), 0);
    const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) };
    await put("model.safetensors.index.json", [jsonBytes(index)]);
  }
  return { files, loss: log.rows() };
}

const place = (n: number): string => String(n).padStart(5, "0");
const jsonBytes = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** By name, cut where a file would get too long; a tensor is never cut. */
function shardsOf(tensors: readonly OutputTensor[], most: number): OutputTensor[][] {
  const shards: OutputTensor[][] = [[]];
  let bytes = 0;
  for (const tensor of [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const size = byteLengthOf(tensor);
    if (bytes > 0 && bytes + size > most) {
      shards.push([]);
      bytes = 0;
    }
    shards[shards.length - 1].push(tensor);
    bytes += size;
  }
  return shards;
}

function outputs(source: WriteSource, { form }: HfPlan, { rounder, onTensor }: WriteParts, log: LossLog) {
  const { config, tensors } = source;
  const isPacked = ({ name }: SourceTensor) => form.kind === "awq" && AWQ_LINEAR.test(name);
  const group = form.kind === "awq" ? form.group : 128;
  checkAwqSizes(
    tensors.filter(isPacked).map(({ name, shape }) => ({ name, rows: shape[0], cols: shape[1] })),
    group,
  );
  const llava = config.architecture === "llava";
  const own = ownType(source);
  let done = 0;
  return tensors.flatMap((tensor): OutputTensor[] => {
    const name = llava ? llavaName(tensor.name) : tensor.name;
    const order = rowOrder(tensor.name, config.decoder, "half");
    const before = async () => onTensor?.(tensor.name, done++, tensors.length);
    if (isPacked(tensor)) return packedOutputs(tensor, name, order, group, rounder, log, before);
    if (form.kind === "mlx" && tensor.affine && order === null) {
      log.kept(tensor.name, `MLX ${tensor.affine.bits} bit g${tensor.affine.group}`);
      return mlxTensors(name, tensor.shape, tensor.affine);
    }
    const dtype =
      form.kind === "own" ? writtenTypeOf(tensor, own, order !== null) : form.kind === "f32" ? "f32" : "f16";
    const bytes = async () => {
      await before();
      return floatBytes(tensor.name, dtype, orderedRows(await tensor.floats(), order), rounder, log);
    };
    return [{ name, dtype, shape: tensor.shape, bytes }];
  });
}

function floatBytes(name: string, dtype: OwnType, values: Float32Array, rounder: Rounder, log: LossLog): Uint8Array {
  if (dtype !== "f16") {
    log.kept(name, dtype === "f32" ? "F32" : "BF16");
    return dtype === "f32" ? rounder.blocks("F32", values) : bf16Bytes(name, values);
  }
  const written = rounder.blocks("F16", values);
  log.add(name, "F16", values, rounder.unpackBlocks("F16", written, 1, values.length));
  return written;
}

/** Three tensors of one matrix: it is packed when the first of them is asked for, and dropped after the last. */
function packedOutputs(
  tensor: SourceTensor,
  name: string,
  order: Uint32Array | null,
  group: Group,
  rounder: Rounder,
  log: LossLog,
  before: () => Promise<void>,
): OutputTensor[] {
  const [rows, cols] = tensor.shape;
  const pack = async (): Promise<PackedInt4> => {
    await before();
    const { int4 } = tensor;
    if (int4 && int4.group === group && int4.offset !== "bias") {
      log.kept(tensor.name, `AWQ g${group}`);
      return orderedRecords(await int4.read(), order);
    }
    const values = orderedRows(await tensor.floats(), order);
    const packed = rounder.int4(values, rows, cols, group);
    log.add(tensor.name, `AWQ g${group}`, values, rounder.unpackInt4(packed));
    return packed;
  };
  let left: readonly OutputTensor[] | null = null;
  const [words, groups] = [rows / 8, cols / group];
  const part = (suffix: string, dtype: "i32" | "f16", shape: readonly number[], last: boolean): OutputTensor => {
    const own = name.replace(/\.weight$/, suffix);
    const bytes = async () => {
      left ??= awqTensors(name, await pack());
      const found = left.find((one) => one.name === own);
      if (!found) throw new Error(`${own} was not packed`);
      if (last) left = null;
      return found.bytes();
    };
    return { name: own, dtype, shape, bytes };
  };
  return [
    part(".qweight", "i32", [cols, words], false),
    part(".qzeros", "i32", [groups, words], false),
    part(".scales", "f16", [groups, rows], true),
  ];
}

/** The spelling that all versions of transformers read: the language model under `language_model.`. */
function llavaName(name: string): string {
  return /^(?:vision_tower|multi_modal_projector)\./.test(name) ? name : `language_model.${name}`;
}

/** config.json with the types and the quantization of what is written. */
function settingsOf({ config, tensors }: WriteSource, { form, settings }: HfPlan, written: readonly OutputTensor[]) {
  const matrices = written.filter(({ shape }) => shape.length > 1);
  const has = (dtype: OwnType) => matrices.some((tensor) => tensor.dtype === dtype);
  const type = has("f32") ? "float32" : has("bf16") ? "bfloat16" : "float16";
  const own = Object.fromEntries(
    Object.entries(settings).flatMap(([key, value]) => {
      if (/^(?:quantization_config|compression_config|quantization)$/.test(key)) return [];
      if (key === "torch_dtype" || key === "dtype") return [];
      const inner = key === "text_config" || key === "vision_config";
      return [[key, inner ? withoutTypes(key, value) : value]];
    }),
  );
  const llava = config.architecture === "llava";
  const kept = llava ? ["vision_tower", "multi_modal_projector", "lm_head"] : ["lm_head"];
  return {
    ...own,
    torch_dtype: type,
    ...(form.kind === "awq" ? { quantization_config: awqSettings(form.group, kept) } : {}),
    ...(form.kind === "mlx" ? { quantization: mlxSettings(tensors.flatMap(withCodes)) } : {}),
  };
}

const withCodes = ({ name, affine }: SourceTensor) => (affine ? [{ name, codes: affine }] : []);

function withoutTypes(key: string, value: unknown): object {
  if (typeof value !== "object" || value === null) {
    throw new InputError("config.json", key, "is no object", "Give a config of transformers");
  }
  const dropped = /^(?:torch_dtype|dtype|quantization_config|compression_config|quantization)$/;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !dropped.test(name)));
}
