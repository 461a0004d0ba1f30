// Rounds f32 values to the types that GGUF files are written in, with the kernel of assembly/kernels/blocks-write, a MiB
// at a time.

import { InputError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import { openArena } from "./arena.js";
import { loadKernels } from "./kernels.js";
import { knowsInstructions } from "./support.js";

/** Types by the kernel's number, with the values and bytes of a block. */
const TYPES = {
  F16: { id: 0, columns: 1, bytes: 2 },
  Q4_0: { id: 1, columns: 32, bytes: 18 },
  Q4_1: { id: 2, columns: 32, bytes: 20 },
  Q8_0: { id: 3, columns: 32, bytes: 34 },
} as const;

export type WrittenType = keyof typeof TYPES;

const PIECE_VALUES = 1 << 18;

/** A function that packs whole rows. It throws InputError for values that fill no blocks. */
export async function openBlockWriter(
  platform: Platform,
): Promise<(type: WrittenType, values: Float32Array) => Uint8Array> {
  const { kernels, memory } = await loadKernels(platform, knowsInstructions("simd") ? "simd" : "scalar");
  const arena = openArena(memory, kernels.heapBase() >>> 0, "block writer");
  const [from, to] = [arena.take(PIECE_VALUES * 4), arena.take(PIECE_VALUES * 2)];
  arena.grow();
  return (type, values) => {
    const { id, columns, bytes } = TYPES[type];
    if (values.length % columns !== 0) {
      throw new InputError(type, "values", `${values.length} values fill no blocks of ${columns}`, "Write F16");
    }
    const packed = new Uint8Array((values.length / columns) * bytes);
    for (let at = 0; at < values.length; at += PIECE_VALUES) {
      const part = values.subarray(at, at + PIECE_VALUES);
      new Float32Array(memory.buffer, from, part.length).set(part);
      kernels.packBlocks(id, from, part.length, to);
      packed.set(new Uint8Array(memory.buffer, to, (part.length / columns) * bytes), (at / columns) * bytes);
    }
    return packed;
  };
}
