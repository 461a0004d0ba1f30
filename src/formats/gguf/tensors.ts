// Tensors of a GGUF file as the rest of the program takes them: vectors and f32 as lazy tensors, every other matrix as a
// stored form that is repacked or kept without loss, read some MiB at a time.

import { InputError } from "../../core/errors.js";
import { type PackedBlocks, packedBlocksBytes, type Repacker, type WeightData } from "../../core/packed.js";
import type { RawForm, StoredMatrix, WeightPiece } from "../../core/stored.js";
import { type DType, elementCount, type LazyTensor } from "../../core/tensor.js";
import type { GgufFile, GgufTensor } from "./header.js";

const PIECE_BYTES = 4 << 20;

export interface Tensors {
  readonly plain: ReadonlyMap<string, LazyTensor>;
  readonly stored: ReadonlyMap<string, StoredMatrix>;
}

/** @param nameOf canonical name, or null for a tensor that is not needed; @param asFloats matrices that ops read as f32 */
export function sortTensors(
  file: GgufFile,
  nameOf: (name: string) => string | null,
  asFloats: (name: string) => boolean = () => false,
): Tensors {
  const plain = new Map<string, LazyTensor>();
  const stored = new Map<string, StoredMatrix>();
  for (const tensor of file.tensors.values()) {
    const name = nameOf(tensor.name);
    if (name === null) continue;
    const vector = tensor.shape.length === 1 || asFloats(name);
    const own = { ...file, source: tensor.source };
    if (tensor.type.as.kind === "plain" || vector) plain.set(name, lazyTensor(own, tensor, name));
    else stored.set(name, storedMatrix(own, tensor, name));
  }
  return { plain, stored };
}

function lazyTensor({ source }: GgufFile, tensor: GgufTensor, name: string): LazyTensor {
  const dtype = tensor.type.name.toLowerCase();
  if (dtype !== "f32" && dtype !== "f64" && dtype !== "f16" && dtype !== "bf16") {
    throw new InputError(source.name, tensor.name, `is ${tensor.type.name}, floats were expected`, "Convert it again");
  }
  const { shape, offset, byteLength } = tensor;
  return { name, dtype: dtype satisfies DType, shape, source, offset, byteLength };
}

function storedMatrix(file: GgufFile, tensor: GgufTensor, name: string): StoredMatrix {
  const { shape, type, byteLength } = tensor;
  const rows = shape[0];
  const cols = elementCount(shape.slice(1));
  // A patch embedding [hidden, 3, p, p] is flat here: blocks may not reach over its rows, 16-bit numbers may.
  if (cols % type.columns !== 0) {
    throw new InputError(file.source.name, tensor.name, `has rows of ${cols} in ${type.name}`, "Convert it again");
  }
  const form =
    type.as.kind === "blocks"
      ? { format: type.as.type }
      : { format: "int4-g32" as const, ...(type.name === "Q4_1" ? { offset: "bias" as const } : {}) };
  const pieces = (repacker: Repacker) => readPieces(file, tensor, rows, cols, repacker);
  return {
    ...{ name, rows, cols, byteLength, label: type.name, sources: [file.source], permuted: false },
    ...form,
    order: async () => Float32Array.from({ length: cols }, (_, c) => c),
    read: (repacker) => readRows(file, tensor, cols, 0, rows, repacker),
    pieces,
    raw: { source: file.source, offset: tensor.offset, byteLength, form: rawForm(type) },
  };
}

const rawForm = ({ as }: GgufTensor["type"]): RawForm =>
  as.kind === "int4" ? { kind: "ggml4", type: as.type } : { kind: "blocks" };

async function* readPieces(
  file: GgufFile,
  tensor: GgufTensor,
  rows: number,
  cols: number,
  repacker: Repacker,
): AsyncGenerator<WeightPiece> {
  const rowBytes = tensor.byteLength / rows;
  const step = Math.max(8, Math.floor(PIECE_BYTES / rowBytes / 8) * 8);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    yield { row, data: await readRows(file, tensor, cols, row, count, repacker) };
  }
}

async function readRows(
  { source }: GgufFile,
  { name, type, byteLength, offset, shape }: GgufTensor,
  cols: number,
  row: number,
  count: number,
  repacker: Repacker,
): Promise<WeightData> {
  const rowBytes = byteLength / shape[0];
  const bytes = await source.read(offset + row * rowBytes, count * rowBytes);
  switch (type.as.kind) {
    case "int4":
      return repacker.int4(type.as.type, bytes, count, cols);
    case "blocks": {
      const data: PackedBlocks = { kind: "blocks", type: type.as.type, rows: count, cols, bytes };
      if (bytes.length !== packedBlocksBytes(count, cols, type.as.type)) {
        throw new InputError(source.name, name, `gave ${bytes.length} bytes for ${count} rows`, "Get the file again");
      }
      return repacker.checked(data, name);
    }
    case "plain":
      throw new InputError(source.name, name, "is not packed", "Read it as floats");
    default:
      return type.as satisfies never;
  }
}
