// A GGUF file's metadata and tensor list. The file is hostile until proven otherwise: every count is checked against the
// bytes that are left before anything is made for it. Specification: ggml's docs/gguf.md, versions 2 and 3.

import type { ByteSource } from "../../core/tensor.js";
import { type Cursor, openCursor } from "./cursor.js";
import { OTHER_TYPES, TENSOR_TYPES, type TensorType } from "./types.js";
import { type Metadata, readString, readValue } from "./values.js";

const MAGIC = 0x46554747; // "GGUF"
/** A name, a type and a value have at least this many bytes; a tensor's entry too. */
const LEAST_PAIR_BYTES = 8 + 4 + 1;
const LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8;
const MOST_DIMENSIONS = 4;

export interface GgufTensor {
  readonly name: string;
  /** The file that holds it: a model may be split over several. */
  readonly source: ByteSource;
  readonly type: TensorType;
  /** As in torch: [outputs, inputs]; the file has it reversed. */
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface GgufFile {
  readonly source: ByteSource;
  readonly version: number;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** True for the four bytes that every GGUF file begins with. */
export async function isGguf(source: ByteSource): Promise<boolean> {
  if (source.sizeBytes < 24) return false;
  const bytes = await source.read(0, 4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === MAGIC;
}

/** Reads the header. Throws InputError for every way in which it does not fit itself or the file. */
export async function readGgufHeader(source: ByteSource): Promise<GgufFile> {
  const cursor = openCursor(source);
  const head = await cursor.bytes(24, "header");
  if (head.getUint32(0, true) !== MAGIC) throw cursor.fail("header", "does not begin with GGUF");
  const version = head.getUint32(4, true);
  if (version !== 2 && version !== 3) {
    const turned = head.getUint32(4, false);
    const hint = turned === 2 || turned === 3 ? ", it was written for a big-endian machine" : "";
    throw cursor.fail("version", `is ${version}${hint}; versions 2 and 3 are read`);
  }
  const tensorCount = await countOf(cursor, head.getBigUint64(8, true), LEAST_TENSOR_BYTES, "tensor count");
  const pairCount = await countOf(cursor, head.getBigUint64(16, true), LEAST_PAIR_BYTES, "metadata count");
  const metadata = new Map<string, Awaited<ReturnType<typeof readValue>>>();
  for (let i = 0; i < pairCount; i++) {
    const key = await readString(cursor, `metadata key ${i}`);
    if (metadata.has(key)) throw cursor.fail(key, "the key stands twice");
    const type = (await cursor.bytes(4, key)).getUint32(0, true);
    metadata.set(key, await readValue(cursor, key, type));
  }
  const tensors = await readTensors(source, cursor, tensorCount, alignmentOf(metadata, cursor));
  return { source, version, metadata, tensors };
}

async function countOf(cursor: Cursor, count: bigint, leastBytes: number, what: string): Promise<number> {
  if (count * BigInt(leastBytes) <= BigInt(cursor.left())) return Number(count);
  throw cursor.fail(what, `is ${count}, more than the file has room for`);
}

function alignmentOf(metadata: Metadata, cursor: Cursor): number {
  const value = metadata.get("general.alignment") ?? 32;
  const good = typeof value === "number" && value >= 8 && value <= 65536 && (value & (value - 1)) === 0;
  if (!good) throw cursor.fail("general.alignment", `is ${value}, a power of two from 8 to 65536 was expected`);
  return value;
}

async function readTensors(
  source: ByteSource,
  cursor: Cursor,
  count: number,
  alignment: number,
): Promise<Map<string, GgufTensor>> {
  const found = new Map<string, Omit<GgufTensor, "source">>();
  for (let i = 0; i < count; i++) {
    const name = await readString(cursor, `name of tensor ${i}`);
    if (found.has(name)) throw cursor.fail(name, "the tensor stands twice");
    found.set(name, await readTensor(cursor, name, alignment));
  }
  const dataStart = Math.ceil(cursor.position() / alignment) * alignment;
  const end = cursor.position() + cursor.left();
  let last = dataStart;
  const placed = [...found.values()].map((tensor) => ({ ...tensor, offset: tensor.offset + dataStart }));
  for (const { name, offset, byteLength } of [...placed].sort((a, b) => a.offset - b.offset)) {
    if (offset < last) throw cursor.fail(name, `begins at byte ${offset}, inside another tensor`);
    last = offset + byteLength;
    if (last > end) throw cursor.fail(name, `ends at byte ${last}, the file has ${end}`);
  }
  return new Map(placed.map((tensor) => [tensor.name, { ...tensor, source }]));
}

async function readTensor(cursor: Cursor, name: string, alignment: number): Promise<Omit<GgufTensor, "source">> {
  const dimensions = (await cursor.bytes(4, name)).getUint32(0, true);
  if (dimensions < 1 || dimensions > MOST_DIMENSIONS) throw cursor.fail(name, `has ${dimensions} dimensions`);
  const rest = await cursor.bytes(dimensions * 8 + 12, name);
  const sizes = Array.from({ length: dimensions }, (_, d) => Number(rest.getBigUint64(d * 8, true)));
  const elements = sizes.reduce((product, size) => product * size, 1);
  if (sizes.some((size) => size < 1) || !Number.isSafeInteger(elements)) {
    throw cursor.fail(name, `has the sizes [${sizes}]`);
  }
  const id = rest.getUint32(dimensions * 8, true);
  const type = TENSOR_TYPES.find((known) => known.id === id);
  if (!type) {
    const known = TENSOR_TYPES.map((entry) => entry.name).join(" ");
    throw cursor.fail(name, `has the type ${OTHER_TYPES.get(id) ?? id}, which is not read (known: ${known})`);
  }
  if (sizes[0] % type.columns !== 0) {
    throw cursor.fail(name, `has rows of ${sizes[0]}, ${type.name} needs multiples of ${type.columns}`);
  }
  const offset = Number(rest.getBigUint64(dimensions * 8 + 4, true));
  if (!Number.isSafeInteger(offset) || offset % alignment !== 0) {
    throw cursor.fail(name, `begins at byte ${offset} of the data, which is no multiple of ${alignment}`);
  }
  return { name, type, shape: sizes.reverse(), offset, byteLength: (elements / type.columns) * type.bytes };
}
