// llama.cpp's base file of log-probabilities: 8 bytes "_logits_", u32 tokens a chunk, i32 vocabulary, i32 chunks, i32 tokens, then
// the records of the scored positions of each chunk (tools/perplexity of llama.cpp).

import { InputError } from "../core/errors.js";
import { type KldBase, type KldHeader, kldRecordBytes, scoredRows } from "../core/kld.js";
import type { ByteSource } from "../core/tensor.js";

const MAGIC = "_logits_";
const HEADER_BYTES = 20;

export async function isKldBase(source: ByteSource): Promise<boolean> {
  return source.sizeBytes >= HEADER_BYTES && new TextDecoder().decode(await source.read(0, 8)) === MAGIC;
}

/** Opens a base file; records are read chunk by chunk. Throws InputError when sizes do not fit the file. */
export async function openKldBase(source: ByteSource): Promise<KldBase> {
  const fail = (field: string, problem: string) => new InputError(source.name, field, problem, "Write the base again");
  if (source.sizeBytes < HEADER_BYTES) throw fail("size", `the file has ${source.sizeBytes} bytes, not even a header`);
  const bytes = await source.read(0, HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [contextTokens, vocab, chunks] = [view.getUint32(8, true), view.getInt32(12, true), view.getInt32(16, true)];
  if (contextTokens < 4 || vocab < 2 || chunks < 1) {
    throw fail("header", `says ${contextTokens} tokens, vocabulary ${vocab}, ${chunks} chunks`);
  }
  const chunkBytes = scoredRows(contextTokens) * kldRecordBytes(vocab);
  const tokenBytes = contextTokens * chunks * 4;
  if (source.sizeBytes !== HEADER_BYTES + tokenBytes + chunks * chunkBytes) {
    throw fail("size", `the file has ${source.sizeBytes} bytes, its header asks for another number`);
  }
  const tokens = new Int32Array((await source.read(HEADER_BYTES, tokenBytes)).slice().buffer);
  const bad = tokens.find((token) => token < 0 || token >= vocab);
  if (bad !== undefined) throw fail("tokens", `${bad} is outside the vocabulary of ${vocab}`);
  return {
    header: { contextTokens, vocab, chunks, tokens },
    records: (chunk) => source.read(HEADER_BYTES + tokenBytes + chunk * chunkBytes, chunkBytes),
  };
}

/** The bytes before the first record. */
export function kldHeaderBytes({ contextTokens, vocab, chunks, tokens }: KldHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + tokens.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, contextTokens, true);
  view.setInt32(12, vocab, true);
  view.setInt32(16, chunks, true);
  bytes.set(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength), HEADER_BYTES);
  return bytes;
}
