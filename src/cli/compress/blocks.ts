// Quantized blocks on disk, one safetensors file each, and as tensors of the model to write.

import { affineCodes, type MatrixCodes, packedInt4, valuesOf } from "../../compress/codes.js";
import type { CompressModule } from "../../compress/kernels.js";
import type { QuantizedBlock } from "../../compress/quantize.js";
import type { Group, Repacker } from "../../core/packed.js";
import type { Platform } from "../../core/ports.js";
import type { LazyTensor } from "../../core/tensor.js";
import type { SourceTensor, WriteSource } from "../../core/write.js";
import { readSafetensorsHeader } from "../../formats/safetensors.js";
import { type OutputTensor, writeSafetensors } from "../../formats/safetensors-write.js";

const bytesOf = (values: Uint8Array | Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Keeps a block; appears whole. */
export async function saveBlock(platform: Platform, path: string, block: QuantizedBlock): Promise<void> {
  const tensors: OutputTensor[] = [];
  for (const [name, { rows, cols, group, bits, codes, scales, zeros }] of block.matrices) {
    const groups = cols / group;
    tensors.push({ name: `${name}#codes${bits}`, dtype: "u8", shape: [rows, cols], bytes: () => codes });
    tensors.push({ name: `${name}#scales`, dtype: "f32", shape: [rows, groups], bytes: () => bytesOf(scales) });
    tensors.push({ name: `${name}#zeros`, dtype: "u8", shape: [rows, groups], bytes: () => zeros });
  }
  for (const [name, values] of block.vectors) {
    tensors.push({ name, dtype: "f32", shape: [values.length], bytes: () => bytesOf(values) });
  }
  const report = new TextEncoder().encode(
    JSON.stringify({ awq: block.awq, errors: block.errors, activity: block.activity }),
  );
  tensors.push({ name: "#report", dtype: "u8", shape: [report.length], bytes: () => report });
  await writeSafetensors(platform, path, tensors, {});
}

/** Reads a block back. */
export async function readBlock(platform: Platform, path: string, layer: number): Promise<QuantizedBlock> {
  const source = await platform.open(path);
  try {
    const tensors = new Map((await readSafetensorsHeader(source)).map((tensor) => [tensor.name, tensor]));
    const bytes = (tensor: LazyTensor) => source.read(tensor.offset, tensor.byteLength);
    const at = (name: string) => tensors.get(name) as LazyTensor;
    const floats = async (name: string) => new Float32Array((await bytes(at(name))).slice().buffer);
    const matrices = new Map<string, MatrixCodes>();
    const vectors = new Map<string, Float32Array>();
    for (const [name, tensor] of tensors) {
      const [base, mark] = name.split("#");
      if (mark === undefined) vectors.set(name, await floats(name));
      if (!mark?.startsWith("codes")) continue;
      const [rows, cols] = tensor.shape;
      const scales = await floats(`${base}#scales`);
      const shape = { rows, cols, group: (rows * cols) / scales.length, bits: Number(mark.slice(5)) as 4 | 8 };
      matrices.set(base, { ...shape, scales, codes: await bytes(tensor), zeros: await bytes(at(`${base}#zeros`)) });
    }
    const { awq, errors, activity } = JSON.parse(new TextDecoder().decode(await bytes(at("#report"))));
    return { layer, matrices, vectors, awq, errors, activity };
  } finally {
    await source.close();
  }
}

/** Codes of a matrix that are read when they are wanted. */
export interface LazyCodes extends Pick<MatrixCodes, "rows" | "cols" | "group" | "bits"> {
  read(): Promise<MatrixCodes>;
}

/** What quantization made of a model: matrices as codes, and vectors that scales were folded into. */
export interface Changes {
  readonly matrices: ReadonlyMap<string, LazyCodes>;
  readonly vectors: ReadonlyMap<string, () => Promise<Float32Array>>;
}

/** Blocks on disk as changes; one block is in memory at a time. */
export async function changesOf(
  platform: Platform,
  layers: number,
  pathOf: (layer: number) => string,
): Promise<Changes> {
  let open: { readonly layer: number; readonly block: Promise<QuantizedBlock> } | null = null;
  const block = (layer: number): Promise<QuantizedBlock> => {
    if (open?.layer !== layer) open = { layer, block: readBlock(platform, pathOf(layer), layer) };
    return open.block;
  };
  const matrices = new Map<string, LazyCodes>();
  const vectors = new Map<string, () => Promise<Float32Array>>();
  for (let layer = 0; layer < layers; layer++) {
    const found = await block(layer);
    for (const [name, { rows, cols, group, bits }] of found.matrices) {
      const read = async () => (await block(layer)).matrices.get(name) as MatrixCodes;
      matrices.set(name, { rows, cols, group, bits, read });
    }
    for (const name of found.vectors.keys()) {
      vectors.set(name, async () => (await block(layer)).vectors.get(name) as Float32Array);
    }
  }
  return { matrices, vectors };
}

/** A matrix of codes as the writers take it. */
export function codedTensor(
  module: CompressModule,
  repacker: Repacker,
  name: string,
  shape: readonly number[],
  codes: LazyCodes,
): SourceTensor {
  const floats = async () => valuesOf(module, await codes.read());
  const affine = affineCodes(module, codes, codes.read);
  const isRecord = codes.bits === 4 && [32, 64, 128].includes(codes.group) && codes.rows % 8 === 0;
  if (!isRecord) return { name, shape, floats, affine };
  const read = async () => packedInt4(module, repacker, await codes.read());
  return { name, shape, floats, affine, int4: { group: codes.group as Group, offset: "zeroU4", read } };
}

/** The model with its changes. */
export function quantizedSource(
  module: CompressModule,
  repacker: Repacker,
  source: WriteSource,
  { matrices, vectors }: Changes,
): WriteSource {
  const tensors = source.tensors.map((tensor) => {
    const { name, shape } = tensor;
    const codes = matrices.get(name);
    if (codes) return codedTensor(module, repacker, name, shape, codes);
    const floats = vectors.get(name);
    return floats ? { name, shape, floats } : tensor;
  });
  return { ...source, tensors };
}
