// Writes safetensors as chunks: an 8-byte header length, a JSON header, then the tensors one after another.
// Tensors are asked for one by one, so that a large model never is in memory as a whole.
// Specification: https://github.com/huggingface/safetensors#format

import { InputError } from "../core/errors.js";
import type { Platform } from "../core/ports.js";
import { DTYPE_BYTES, elementCount } from "../core/tensor.js";

/** Names that safetensors uses for the types written here. */
const DTYPE_NAMES = { f16: "F16", bf16: "BF16", f32: "F32", i32: "I32", u32: "U32", u8: "U8" } as const;

/** One tensor to write. */
export interface OutputTensor {
  readonly name: string;
  readonly dtype: keyof typeof DTYPE_NAMES;
  readonly shape: readonly number[];
  /** Its little-endian, row-major bytes; called once, in order of names. */
  readonly bytes: () => Uint8Array | Promise<Uint8Array>;
}

export function byteLengthOf({ dtype, shape }: OutputTensor): number {
  return elementCount(shape) * DTYPE_BYTES[dtype];
}

/** The header with its length in front, padded with spaces so that tensors begin at a multiple of 8 bytes. */
function encodeHeader(tensors: readonly OutputTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + byteLengthOf(tensor);
    header[tensor.name] = { dtype: DTYPE_NAMES[tensor.dtype], shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  return bytes;
}

/**
 * The file's bytes, chunk by chunk: the header, then one chunk a tensor, sorted by name.
 * @param metadata free strings that readers keep but do not need (`__metadata__`)
 * @throws InputError when a tensor's bytes do not fit its shape
 */
export async function* safetensorsChunks(
  tensors: Iterable<OutputTensor>,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  yield encodeHeader(sorted, metadata);
  for (const tensor of sorted) {
    const bytes = await tensor.bytes();
    if (bytes.length !== byteLengthOf(tensor)) {
      const problem = `has ${bytes.length} bytes, its shape [${tensor.shape}] needs ${byteLengthOf(tensor)}`;
      throw new InputError(tensor.name, "bytes", problem, "Give the shape that the values have");
    }
    yield bytes;
  }
}

/** Writes a small model in one go: to a temporary name, then renamed. Returns the bytes written. */
export async function writeSafetensors(
  platform: Pick<Platform, "writeWhole">,
  path: string,
  tensors: Iterable<OutputTensor>,
  metadata: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of safetensorsChunks(tensors, metadata)) chunks.push(chunk);
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  await platform.writeWhole(path, whole);
  return whole;
}
