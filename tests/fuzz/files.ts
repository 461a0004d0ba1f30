// A folder of files as one array of bytes, so that a find of a fuzzer can be kept, and read again, as one file.

import { InputError } from "../../src/core/errors.js";
import type { Platform } from "../../src/core/ports.js";
import type { ByteSource } from "../../src/core/tensor.js";

/** 4 bytes of length, the names and sizes as JSON, then the files. */
export function packFiles(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const names = Object.entries(files).map(([name, bytes]) => [name, bytes.length]);
  const head = new TextEncoder().encode(JSON.stringify(names));
  return join([new Uint8Array(Uint32Array.of(head.length).buffer), head, ...Object.values(files)]);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A source that fails loudly on a range that it has not: readers check before they ask. */
export function strictSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    async read(offset, length) {
      const good = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
      if (!good || offset + length > bytes.length) throw new Error(`a reader asked ${name} for ${offset} + ${length}`);
      return bytes.slice(offset, offset + length);
    },
    async close() {},
  };
}

/** The packed files as a platform sees them, below the folder "m". */
export function platformOf(packed: Uint8Array): Platform {
  const length = new DataView(packed.buffer, packed.byteOffset).getUint32(0, true);
  const names = JSON.parse(new TextDecoder().decode(packed.subarray(4, 4 + length))) as [string, number][];
  const files = new Map<string, Uint8Array>();
  let at = 4 + length;
  for (const [name, size] of names) {
    files.set(`m/${name}`, packed.subarray(at, at + size));
    at += size;
  }
  const find = (path: string): Uint8Array => {
    const found = files.get(path.replace("//", "/"));
    if (found) return found;
    throw new InputError(path, "", "no such file or folder", "Check the path");
  };
  const access = {
    open: async (path: string) => strictSource(path, find(path)),
    readText: async (path: string) => new TextDecoder().decode(find(path)),
    exists: async (path: string) => files.has(path),
    list: async () => [...files.keys()].map((path) => path.slice(2)),
    limited: <T>(_what: string, _ms: number, work: () => T) => work(),
  };
  return access as unknown as Platform;
}
