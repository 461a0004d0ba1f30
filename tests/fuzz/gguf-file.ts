// GGUF files as fields, some of which then lie, for the fuzzers of models and of projectors.

import { TENSOR_TYPES } from "../../src/formats/gguf/types.js";
import type { Random } from "./lies.js";

/** A field of the file: a little-endian integer or raw bytes. */
export interface Field {
  readonly size: 1 | 4 | 8 | 0;
  readonly value: bigint;
  readonly bytes: Uint8Array;
}

const NONE = new Uint8Array(0);
export const int = (size: 1 | 4 | 8, value: number | bigint): Field => ({ size, value: BigInt(value), bytes: NONE });
export const raw = (bytes: Uint8Array): Field => ({ size: 0, value: 0n, bytes });
export const text = (value: string): Field[] => {
  const bytes = new TextEncoder().encode(value);
  return [int(8, bytes.length), raw(bytes)];
};
export const float = (value: number) => raw(new Uint8Array(Float32Array.of(value).buffer));

export const pair = (key: string, type: number, ...value: Field[]): Field[] => [...text(key), int(4, type), ...value];
export const count = (key: string, value: number) => pair(key, 4, int(4, value));
export const list = (key: string, type: number, items: readonly Field[][]): Field[] =>
  pair(key, 9, int(4, type), int(8, items.length), ...items.flat());

/** Name, torch shape and type id of a tensor. */
export type TensorInfo = readonly [string, readonly number[], number];

export interface GoodFile {
  readonly head: readonly Field[];
  readonly data: Uint8Array;
}

/** A whole file of these metadata pairs and tensors. */
export function goodFile(pairs: readonly Field[][], tensors: readonly TensorInfo[]): GoodFile {
  let offset = 0;
  const infos = tensors.map(([name, shape, type]) => {
    const { columns = 1, bytes = 1 } = TENSOR_TYPES.find(({ id }) => id === type) ?? {};
    const info = [
      ...text(name),
      int(4, shape.length),
      ...[...shape].reverse().map((size) => int(8, size)),
      ...[int(4, type), int(8, offset)],
    ];
    offset += Math.ceil(((shape.reduce((a, b) => a * b) / columns) * bytes) / 32) * 32;
    return info;
  });
  const counts = [int(4, 0x46554747), int(4, 3), int(8, tensors.length), int(8, pairs.length)];
  return { head: [...counts, ...pairs.flat(), ...infos.flat()], data: new Uint8Array(offset).fill(0x11) };
}

const LIES = [0n, 1n, 2n, 7n, 31n, 33n, 255n, 256n, 1n << 16n, (1n << 31n) - 1n, 1n << 31n, (1n << 32n) - 1n];
const LONG_LIES = [...LIES, 1n << 32n, 1n << 53n, (1n << 53n) - 1n, 1n << 60n, 1n << 63n, (1n << 64n) - 1n];

function lie(fields: readonly Field[], random: Random): Field[] {
  const at = Math.floor(random() * fields.length);
  const pick = Math.floor(random() * 6);
  const field = fields[at];
  if (pick === 0) return [...fields.slice(0, at), ...fields.slice(at + 1)];
  if (pick === 1) return [...fields.slice(0, at), field, ...fields.slice(at)];
  const other = fields[Math.floor(random() * fields.length)];
  if (pick === 2) return fields.map((old, i) => (i === at ? other : old));
  return fields.map((old, i) => (i === at ? lyingField(old, random) : old));
}

function lyingField(field: Field, random: Random): Field {
  if (field.size === 0) return raw(field.bytes.map((byte) => (random() < 0.2 ? Math.floor(random() * 256) : byte)));
  const lies = field.size === 8 ? LONG_LIES : LIES;
  const near = field.value + BigInt(Math.floor(random() * 5) - 2);
  return { ...field, value: random() < 0.3 && near >= 0n ? near : lies[Math.floor(random() * lies.length)] };
}

function encode(head: readonly Field[], data: Uint8Array): Uint8Array {
  const parts = head.map(({ size, value, bytes }) => {
    if (size === 0) return bytes;
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt.asUintN(64, value), true);
    return new Uint8Array(view.buffer, 0, size);
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const start = Math.ceil(length / 32) * 32;
  const whole = new Uint8Array(start + data.length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  whole.set(data, start);
  return whole;
}

/** The file as bytes. */
export const ggufBytes = ({ head, data }: GoodFile): Uint8Array => encode(head, data);

/** The file with one to four lies; some end early, some have noise in their data. */
export function hurtGguf({ head, data }: GoodFile, random: Random): Uint8Array {
  let fields = head;
  for (let lies = Math.floor(random() * 4); lies >= 0; lies--) fields = lie(fields, random);
  const noisy = random() < 0.2 ? data.map(() => Math.floor(random() * 256)) : data;
  const bytes = encode(fields, noisy);
  return random() < 0.15 ? bytes.slice(0, Math.floor(random() * bytes.length)) : bytes;
}
