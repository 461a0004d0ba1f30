// Reads a GGUF header front to back through a window over the file: nothing is read or allocated for a length before it
// is known that the file has that many bytes left.

import { InputError } from "../../core/errors.js";
import type { ByteSource } from "../../core/tensor.js";

const WINDOW_BYTES = 1 << 18;

export interface Cursor {
  /** Bytes read so far. */
  position(): number;
  left(): number;
  /** A view of the next `length` bytes; valid until the next call. */
  bytes(length: number, what: string): Promise<DataView>;
  /** The same at once where they have been read already, else null. */
  ready(length: number): DataView | null;
  fail(field: string, problem: string): InputError;
}

export function openCursor(source: ByteSource): Cursor {
  let window: Uint8Array = new Uint8Array(0);
  let windowAt = 0;
  let at = 0;
  const fail = (field: string, problem: string) =>
    new InputError(source.name, field, problem, "Get the whole file again from where it came from");
  const take = (length: number): DataView => {
    const view = new DataView(window.buffer, window.byteOffset + at - windowAt, length);
    at += length;
    return view;
  };
  return {
    ready: (length) => (at + length <= windowAt + window.length ? take(length) : null),
    position: () => at,
    left: () => source.sizeBytes - at,
    fail,
    async bytes(length, what) {
      if (length > source.sizeBytes - at) {
        throw fail(what, `needs ${length} bytes at byte ${at}, the file has ${source.sizeBytes}`);
      }
      if (at + length > windowAt + window.length) {
        windowAt = at;
        window = await source.read(at, Math.min(Math.max(length, WINDOW_BYTES), source.sizeBytes - at));
      }
      return take(length);
    },
  };
}
