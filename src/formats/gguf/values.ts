// Metadata values of a GGUF file. Arrays of numbers become typed arrays; an array in an array, which no writer makes, is
// refused, so that nothing nests.

import type { InputError } from "../../core/errors.js";
import type { Cursor } from "./cursor.js";
import { type MetaArray, type MetaValue, TYPE_ARRAY, TYPE_STRING, VALUE_BYTES } from "./types.js";

export type Metadata = ReadonlyMap<string, MetaValue>;

/** No key and no text of a header is longer (chat templates have some 10 kB, whole vocabularies are arrays). */
const LONGEST_TEXT = 1 << 24;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export async function readString(cursor: Cursor, what: string): Promise<string> {
  const length = textLength(await cursor.bytes(8, what), what, cursor);
  return decodeText(await cursor.bytes(length, what), what, cursor);
}

function textLength(view: DataView, what: string, cursor: Cursor): number {
  const length = view.getBigUint64(0, true);
  if (length <= BigInt(Math.min(LONGEST_TEXT, cursor.left()))) return Number(length);
  throw cursor.fail(what, `is a text of ${length} bytes, the file has ${cursor.left()} left`);
}

function decodeText(view: DataView, what: string, cursor: Cursor): string {
  try {
    return decoder.decode(view);
  } catch {
    throw cursor.fail(what, "is no UTF-8");
  }
}

export async function readValue(cursor: Cursor, key: string, type: number): Promise<MetaValue> {
  if (type === TYPE_STRING) return readString(cursor, key);
  if (type === TYPE_ARRAY) return readArray(cursor, key);
  const size = VALUE_BYTES[type];
  if (!size) throw cursor.fail(key, `has the value type ${type}`);
  return readNumber(await cursor.bytes(size, key), 0, type, () => cursor.fail(key, "is an integer beyond 2^53"));
}

function readNumber(view: DataView, at: number, type: number, beyond: () => InputError): number | boolean {
  switch (type) {
    case 0:
      return view.getUint8(at);
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getUint16(at, true);
    case 3:
      return view.getInt16(at, true);
    case 4:
      return view.getUint32(at, true);
    case 5:
      return view.getInt32(at, true);
    case 6:
      return view.getFloat32(at, true);
    case 7:
      return view.getUint8(at) !== 0;
    case 12:
      return view.getFloat64(at, true);
    default: {
      const value = Number(type === 10 ? view.getBigUint64(at, true) : view.getBigInt64(at, true));
      if (!Number.isSafeInteger(value)) throw beyond();
      return value;
    }
  }
}

async function readArray(cursor: Cursor, key: string): Promise<MetaArray> {
  const head = await cursor.bytes(12, key);
  const type = head.getUint32(0, true);
  const count = head.getBigUint64(4, true);
  if (type === TYPE_ARRAY) throw cursor.fail(key, "is an array of arrays");
  const size = type === TYPE_STRING ? 8 : VALUE_BYTES[type];
  if (!size) throw cursor.fail(key, `is an array of the value type ${type}`);
  if (count * BigInt(size) > BigInt(cursor.left())) {
    throw cursor.fail(key, `is an array of ${count} values, the file has ${cursor.left()} bytes left`);
  }
  if (type === TYPE_STRING) return readTexts(cursor, key, Number(count));
  const view = await cursor.bytes(Number(count) * size, key);
  const beyond = () => cursor.fail(key, "holds an integer beyond 2^53");
  if (type === 6) return Float32Array.from({ length: Number(count) }, (_, i) => view.getFloat32(i * 4, true));
  if (type === 5) return Int32Array.from({ length: Number(count) }, (_, i) => view.getInt32(i * 4, true));
  if (type === 0) return new Uint8Array(view.buffer, view.byteOffset, Number(count)).slice();
  return Array.from({ length: Number(count) }, (_, i) => readNumber(view, i * size, type, beyond));
}

/** A vocabulary has up to some 500 000 texts: only those at the end of the cursor's window are waited for. */
async function readTexts(cursor: Cursor, key: string, count: number): Promise<readonly string[]> {
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const length = textLength(cursor.ready(8) ?? (await cursor.bytes(8, key)), key, cursor);
    texts.push(decodeText(cursor.ready(length) ?? (await cursor.bytes(length, key)), key, cursor));
  }
  return texts;
}
