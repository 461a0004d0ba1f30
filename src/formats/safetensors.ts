// The header of a safetensors file to lazy tensors: 8 bytes of header length, JSON, then the data. A hostile file is
// refused before anything is allocated for it. Specification: https://github.com/huggingface/safetensors#format

import { InputError } from "../core/errors.js";
import { type ByteSource, DTYPE_BYTES, type DType, elementCount, type LazyTensor } from "../core/tensor.js";
import { duplicateKey } from "./json-keys.js";
import { parseSmall } from "./json-size.js";

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

const DTYPES: ReadonlyMap<string, DType> = new Map([
  ["F64", "f64"],
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
  ["F8_E4M3", "f8e4m3"],
  ["F8_E5M2", "f8e5m2"],
  ["I64", "i64"],
  ["I32", "i32"],
  ["I16", "i16"],
  ["I8", "i8"],
  ["U64", "u64"],
  ["U32", "u32"],
  ["U16", "u16"],
  ["U8", "u8"],
  ["BOOL", "bool"],
]);

type Fail = (field: string, problem: string) => InputError;

/** True for a plausible header length followed by the start of a JSON object. */
export async function isSafetensors(source: ByteSource): Promise<boolean> {
  if (source.sizeBytes < 10) return false;
  const bytes = await source.read(0, 9);
  const length = headerLength(bytes);
  return length >= 2 && length <= MAX_HEADER_BYTES && bytes[8] === 0x7b;
}

/**
 * All tensors of one file, in the file's order. Throws InputError for a header that is too long, no JSON, has a name
 * twice, or whose types, shapes and byte ranges do not fit each other and the file: ranges must lie in it without overlap
 * or gap.
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<LazyTensor[]> {
  const fail: Fail = (field, problem) =>
    new InputError(source.name, field, problem, "Get the whole file again from where it came from");
  if (source.sizeBytes < 8) throw fail("header", `the file has ${source.sizeBytes} bytes, not even a header length`);
  const length = headerLength(await source.read(0, 8));
  if (length > MAX_HEADER_BYTES || length > source.sizeBytes - 8) {
    throw fail("header", `says it has ${length} bytes, the file has ${source.sizeBytes}`);
  }
  const entries = parseHeader(await source.read(8, length), source, fail);
  const dataStart = 8 + length;
  const tensors = entries.map(([name, entry]) => readEntry(name, entry, source, dataStart, fail));
  checkRanges(tensors, source.sizeBytes, dataStart, fail);
  return tensors;
}

function headerLength(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

function parseHeader(bytes: Uint8Array, file: ByteSource, fail: Fail): [string, unknown][] {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = parseSmall(text, file.name, file.sizeBytes);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw fail("header", "is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw fail("header", "is no object");
  const twice = duplicateKey(text);
  if (twice !== null) throw fail(twice, "the name stands twice");
  return Object.entries(header).filter(([name]) => name !== "__metadata__");
}

function readEntry(name: string, entry: unknown, source: ByteSource, dataStart: number, fail: Fail): LazyTensor {
  const { dtype: label, shape, data_offsets: range } = (entry ?? {}) as Record<string, unknown>;
  const dtype = DTYPES.get(`${label}`);
  if (!dtype) throw fail(name, `has the type ${JSON.stringify(label)}, known are ${[...DTYPES.keys()].join(" ")}`);
  if (!isSizes(shape)) throw fail(name, `has the shape ${JSON.stringify(shape)}`);
  if (!isSizes(range) || range.length !== 2 || range[1] < range[0]) {
    throw fail(name, `has the byte range ${JSON.stringify(range)}`);
  }
  const needed = elementCount(shape) * DTYPE_BYTES[dtype];
  if (!Number.isSafeInteger(needed) || needed !== range[1] - range[0]) {
    throw fail(name, `${label} [${shape}] needs ${needed} bytes, its range [${range}] has ${range[1] - range[0]}`);
  }
  return { name, dtype, shape, source, offset: dataStart + range[0], byteLength: needed };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function checkRanges(tensors: readonly LazyTensor[], fileBytes: number, dataStart: number, fail: Fail): void {
  const sorted = [...tensors].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const { name, offset, byteLength } of sorted) {
    const at = `begins at byte ${offset - dataStart} of the data`;
    if (offset < end) throw fail(name, `${at}, inside another tensor`);
    if (offset > end) throw fail(name, `${at}, a gap of ${offset - end} bytes after the one before`);
    end = offset + byteLength;
    if (end > fileBytes) throw fail(name, `ends at byte ${end}, the file has ${fileBytes}`);
  }
  if (end !== fileBytes) throw fail("data", `${fileBytes - end} bytes at the end belong to no tensor`);
}
