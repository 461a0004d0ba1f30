// Writes GGUF version 3 as chunks: header, metadata, tensor list, then the tensors one after another, each asked for when
// its turn comes, so that a large model never is in memory as a whole. Specification: ggml's docs/gguf.md.

import { InputError } from "../core/errors.js";
import type { Platform } from "../core/ports.js";
import { elementCount } from "../core/tensor.js";
import type { WrittenType } from "../core/write.js";
import { TENSOR_TYPES } from "./gguf/types.js";

const ALIGNMENT = 32;

/** A metadata value with its type in the file. */
export type GgufValue =
  | { readonly type: "u32" | "i32" | "f32" | "bool"; readonly value: number }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "texts"; readonly value: readonly string[] }
  | { readonly type: "i32s" | "f32s"; readonly value: readonly number[] };

export interface GgufOutput {
  /** GGUF's name. */
  readonly name: string;
  readonly type: WrittenType;
  /** As in torch: [outputs, inputs]. */
  readonly shape: readonly number[];
  /** Its bytes; called once, in the order of the list. */
  readonly bytes: () => Promise<Uint8Array>;
}

const TYPE_IDS = { u8: 0, u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9 } as const;

/** Bytes of one tensor. Throws InputError where its rows are no multiple of the type's block, and proposes another type. */
export function ggufBytes({ name, type, shape }: Pick<GgufOutput, "name" | "type" | "shape">): number {
  const found = TENSOR_TYPES.find((known) => known.name === type);
  const cols = shape[shape.length - 1] ?? 0;
  if (!found || cols % found.columns !== 0) {
    const problem = `has rows of ${cols}, ${type} needs multiples of ${found?.columns}`;
    throw new InputError(name, "shape", problem, "Write this tensor as F16");
  }
  return (elementCount(shape) / found.columns) * found.bytes;
}

/** A growing list of little-endian bytes. */
function byteWriter() {
  const parts: Uint8Array[] = [];
  const number = (size: number, set: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(size));
    set(view);
    parts.push(new Uint8Array(view.buffer));
  };
  const u64 = (value: number) => number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  return {
    u64,
    u32: (value: number) => number(4, (view) => view.setUint32(0, value, true)),
    i32: (value: number) => number(4, (view) => view.setInt32(0, value, true)),
    f32: (value: number) => number(4, (view) => view.setFloat32(0, value, true)),
    u8: (value: number) => number(1, (view) => view.setUint8(0, value)),
    text(value: string) {
      const bytes = new TextEncoder().encode(value);
      u64(bytes.length);
      parts.push(bytes);
    },
    done(): Uint8Array {
      const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      return whole;
    },
  };
}

type Writer = ReturnType<typeof byteWriter>;

function writeValue(to: Writer, entry: GgufValue): void {
  switch (entry.type) {
    case "u32":
    case "i32":
    case "f32":
      to.u32(TYPE_IDS[entry.type]);
      to[entry.type](entry.value);
      return;
    case "bool":
      to.u32(TYPE_IDS.bool);
      to.u8(entry.value ? 1 : 0);
      return;
    case "text":
      to.u32(TYPE_IDS.text);
      to.text(entry.value);
      return;
    case "texts":
      to.u32(TYPE_IDS.list);
      to.u32(TYPE_IDS.text);
      to.u64(entry.value.length);
      for (const text of entry.value) to.text(text);
      return;
    case "i32s":
    case "f32s": {
      const kind = entry.type === "i32s" ? "i32" : "f32";
      to.u32(TYPE_IDS.list);
      to.u32(TYPE_IDS[kind]);
      to.u64(entry.value.length);
      for (const value of entry.value) to[kind](value);
      return;
    }
    default:
      entry satisfies never;
  }
}

const padded = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/**
 * The file's bytes, chunk by chunk: the header, then one chunk a tensor with its padding.
 * @throws InputError when a tensor's bytes do not fit its shape, or its rows its type
 */
export async function* ggufChunks(
  metadata: Iterable<readonly [string, GgufValue]>,
  tensors: readonly GgufOutput[],
): AsyncGenerator<Uint8Array> {
  yield encodeHeader([...metadata], tensors);
  for (const tensor of tensors) {
    const bytes = await tensor.bytes();
    const needed = ggufBytes(tensor);
    if (bytes.length !== needed) {
      const problem = `has ${bytes.length} bytes, ${tensor.type} [${tensor.shape}] needs ${needed}`;
      throw new InputError(tensor.name, "bytes", problem, "Give the shape that the values have");
    }
    const chunk = new Uint8Array(padded(needed));
    chunk.set(bytes);
    yield chunk;
  }
}

function encodeHeader(metadata: readonly (readonly [string, GgufValue])[], tensors: readonly GgufOutput[]): Uint8Array {
  const to = byteWriter();
  to.u32(0x46554747);
  to.u32(3);
  to.u64(tensors.length);
  to.u64(metadata.length);
  for (const [key, value] of metadata) {
    to.text(key);
    writeValue(to, value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    to.text(tensor.name);
    to.u32(tensor.shape.length);
    for (const size of [...tensor.shape].reverse()) to.u64(size);
    to.u32(TENSOR_TYPES.find(({ name }) => name === tensor.type)?.id ?? 0);
    to.u64(offset);
    offset += padded(ggufBytes(tensor));
  }
  const header = to.done();
  const whole = new Uint8Array(padded(header.length));
  whole.set(header);
  return whole;
}

/** Writes a small model in one go: to a temporary name, then renamed. Returns the bytes written. */
export async function writeGguf(
  platform: Pick<Platform, "writeWhole">,
  path: string,
  metadata: Iterable<readonly [string, GgufValue]>,
  tensors: readonly GgufOutput[],
): Promise<number> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of ggufChunks(metadata, tensors)) chunks.push(chunk);
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  await platform.writeWhole(path, whole);
  return whole.length;
}
