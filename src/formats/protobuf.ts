// The wire format of protocol buffers over a lazy source: fields of a message one after the other, large ones as ranges that are
// not read. Specification: https://protobuf.dev/programming-guides/encoding

import { InputError } from "../core/errors.js";
import type { ByteSource } from "../core/tensor.js";

/** Bytes read at once. */
const WINDOW = 65536;
/** Longest name or short string. */
const MOST_TEXT_BYTES = 4096;

/** One field; a number for wire types 0, 1 and 5, a range of the source for type 2. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: number;
  readonly offset: number;
  readonly length: number;
}

export interface ProtoReader {
  /** Fields of the message in bytes [offset, offset + length). Throws InputError for what is no message. */
  fields(offset: number, length: number): AsyncGenerator<Field>;
  text(field: Field): Promise<string>;
  bytes(field: Field, most: number): Promise<Uint8Array>;
}

export function protoReader(source: ByteSource): ProtoReader {
  let window: Uint8Array = new Uint8Array(0);
  let start = 0;
  const fail = (at: number, problem: string) =>
    new InputError(source.name, `byte ${at}`, problem, "Get the whole file again");

  async function load(at: number): Promise<void> {
    start = at;
    window = await source.read(at, Math.min(WINDOW, source.sizeBytes - at));
  }

  /** Value and the position behind it; whole numbers beyond 2^53 lose low bits, which no field here needs. */
  async function varint(at: number, end: number): Promise<readonly [number, number]> {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      if (at + i >= end) throw fail(at, "a number ends outside its message");
      if (at + i < start || at + i >= start + window.length) await load(at + i);
      const byte = window[at + i - start];
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return [value, at + i + 1];
    }
    throw fail(at, "a number has more than ten bytes");
  }

  async function bytes(field: Field, most: number): Promise<Uint8Array> {
    if (field.wire !== 2 || field.length > most)
      throw fail(field.offset, `${field.length} bytes, at most ${most} fit here`);
    return source.read(field.offset, field.length);
  }

  return {
    bytes,
    async *fields(offset, length) {
      const end = offset + length;
      for (let at = offset; at < end; ) {
        const [key, after] = await varint(at, end);
        const [number, wire] = [Math.floor(key / 8), key % 8];
        if (number === 0 || number > 536870911) throw fail(at, `field ${number} does not exist`);
        if (wire === 0) {
          const [value, next] = await varint(after, end);
          at = next;
          yield { number, wire, value, offset: after, length: next - after };
          continue;
        }
        const [size, from] = wire === 2 ? await varint(after, end) : [wire === 1 ? 8 : 4, after];
        if (wire !== 1 && wire !== 2 && wire !== 5) throw fail(at, `wire type ${wire} is not supported`);
        if (size > end - from) throw fail(at, `field ${number} has ${size} bytes, its message ends before`);
        at = from + size;
        yield { number, wire, value: 0, offset: from, length: size };
      }
    },
    async text(field) {
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(await bytes(field, MOST_TEXT_BYTES));
      } catch (error) {
        if (error instanceof InputError) throw error;
        throw fail(field.offset, "a name is no UTF-8");
      }
    },
  };
}
