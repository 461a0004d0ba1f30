// Knows Python's pickle files, in order to refuse them by name: to load one is to run code that it brings.

import { InputError } from "../core/errors.js";
import type { ByteSource } from "../core/tensor.js";

/** A zip archive as torch.save writes it, or a bare pickle of protocol 2 to 5. */
export async function isPickle(source: ByteSource): Promise<boolean> {
  if (source.sizeBytes < 4) return false;
  const [a, b, c, d] = await source.read(0, 4);
  return (a === 0x50 && b === 0x4b && c === 3 && d === 4) || (a === 0x80 && b >= 2 && b <= 5);
}

export function pickleRefused(path: string): InputError {
  const problem = "is a pickle file (PyTorch), which could run code of its own";
  return new InputError(path, "", problem, "Convert it to safetensors");
}
