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

/** A matrix of codes as the writers take it. */
export function codedTensor(
  module: CompressModule,
  repacker: Repacker,
  name: string,
  shape: readonly number[],
  codes: MatrixCodes,
): SourceTensor {
  const floats = async () => valuesOf(module, codes);
  const affine = affineCodes(module, codes);
  const isRecord = codes.bits === 4 && [32, 64, 128].includes(codes.group) && codes.rows % 8 === 0;
  if (!isRecord) return { name, shape, floats, affine };
  const int4 = {
    group: codes.group as Group,
    offset: "zeroU4",
    read: async () => packedInt4(module, repacker, codes),
  } as const;
  return { name, shape, floats, affine, int4 };
}

/** The model with quantized blocks and other quantized matrices in it. */
export function quantizedSource(
  module: CompressModule,
  repacker: Repacker,
  source: WriteSource,
  blocks: readonly Pick<QuantizedBlock, "matrices" | "vectors">[],
): WriteSource {
  const matrices = new Map(blocks.flatMap((block) => [...block.matrices]));
  const vectors = new Map(blocks.flatMap((block) => [...block.vectors]));
  const tensors = source.tensors.map((tensor) => {
    const { name, shape } = tensor;
    const codes = matrices.get(name);
    if (codes) return codedTensor(module, repacker, name, shape, codes);
    const values = vectors.get(name);
    return values ? { name, shape, floats: async () => values } : tensor;
  });
  return { ...source, tensors };
}
