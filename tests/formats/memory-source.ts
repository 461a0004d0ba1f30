// Bytes in memory as a file, and safetensors files put together by hand so that they can lie.

import { InputError } from "../../src/core/errors.js";
import type { ByteSource } from "../../src/core/tensor.js";

/** A file of these bytes; `sizeBytes` may claim more than there is. It refuses reads over 1 MiB: no test needs them. */
export function memorySource(bytes: Uint8Array, sizeBytes: number = bytes.length): ByteSource {
  return {
    name: "memory.bin",
    sizeBytes,
    async read(offset, length) {
      if (length > 1 << 20) throw new Error(`${length} bytes were about to be allocated`);
      if (offset + length > bytes.length) throw new InputError("memory.bin", "", "range does not exist", "Stop");
      return bytes.slice(offset, offset + length);
    },
    async close() {},
  };
}

/** Header length, header, data. @param length what the file says its header has */
export function safetensorsBytes(header: string, data: Uint8Array, length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}
