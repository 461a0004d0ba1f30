// Addresses in one linear memory: handed out one after the other, grown once they are known.

import { InputError } from "../../core/errors.js";
import { MAX_PAGES, PAGE_BYTES } from "./kernels.js";

const ALIGNMENT = 256;
/** Kernels may read, never use, up to this many bytes past a tensor's end. */
const SLACK_BYTES = 256;

export interface Arena {
  /** A free 256-byte aligned address of `bytes` bytes; the memory reaches there after `grow`. */
  take(bytes: number): number;
  /** Grows the memory over everything taken, in one go. Throws InputError when 4 GiB or the machine do not allow it. */
  grow(): void;
  endBytes(): number;
}

export function openArena(memory: WebAssembly.Memory, firstFree: number, what: string): Arena {
  let end = Math.ceil(firstFree / ALIGNMENT) * ALIGNMENT;
  return {
    take(bytes) {
      const at = end;
      end += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
      return at;
    },
    grow() {
      const pages = Math.ceil((end + SLACK_BYTES) / PAGE_BYTES);
      const missing = pages - memory.buffer.byteLength / PAGE_BYTES;
      if (missing <= 0) return;
      if (pages > MAX_PAGES) throw tooLarge(what, end, "one WebAssembly memory holds 4 GiB");
      try {
        memory.grow(missing);
      } catch {
        throw tooLarge(what, end, "the machine does not give that much memory");
      }
    },
    endBytes: () => end,
  };
}

function tooLarge(what: string, bytes: number, problem: string): InputError {
  const needed = `needs ${(bytes / 2 ** 30).toFixed(2)} GiB`;
  return new InputError(what, "memory", `${needed}, ${problem}`, "Use fewer layers, a shorter context or fewer bits");
}
