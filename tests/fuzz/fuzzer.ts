// What every fuzzer promises: a damaged file is read or refused with a typed error, in less than a second of processor time,
// and nothing is allocated that is out of proportion to the file.

import { InputError } from "../../src/core/errors.js";
import type { Model } from "../../src/core/model.js";
import type { Repacker } from "../../src/core/packed.js";
import { settled } from "../../src/core/stored.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel } from "../../src/formats/index.js";
import { countAllocations } from "./allocations.js";
import { loadInPlace } from "./places.js";

export interface Fuzzer {
  /** One damaged file, or several packed as files.ts does it. */
  readonly make: (random: () => number) => Uint8Array;
  /** Opens it and reads all of it. */
  readonly read: (bytes: Uint8Array, repacker: Repacker) => Promise<void>;
}

const MOST_MS = 1000;
const SPARE_BYTES = 1 << 20;

/** "read", or the refusal without its numbers. Throws for every other error and for bounds that are broken twice: the engine
 * itself allocates when it compiles what has run often enough. */
export async function outcomeOf(fuzzer: Fuzzer, bytes: Uint8Array, repacker: Repacker): Promise<string> {
  const { outcome, broken } = await attempt(fuzzer, bytes, repacker);
  if (broken === null) return outcome;
  const again = await attempt(fuzzer, bytes, repacker);
  if (again.broken !== null) throw new Error(again.broken);
  return outcome;
}

async function attempt(fuzzer: Fuzzer, bytes: Uint8Array, repacker: Repacker) {
  let outcome = "read";
  const before = process.cpuUsage();
  const { bufferBytes, heapBytes } = await countAllocations(async () => {
    try {
      await fuzzer.read(bytes, repacker);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      outcome = error.message.replace(/-?\d+(?:\.\d+)?(?:e\+\d+)?/g, "#");
    }
  });
  const { user, system } = process.cpuUsage(before);
  const most = 2 * bytes.length + SPARE_BYTES;
  const found = `a file of ${bytes.length} bytes:`;
  let broken: string | null = null;
  if (user + system > MOST_MS * 1000) broken = `${found} ${(user + system) / 1000} ms`;
  if (bufferBytes > most) broken = `${found} ${bufferBytes} bytes of buffers`;
  if (heapBytes > most) broken = `${found} ${heapBytes} bytes of heap`;
  return { outcome, broken };
}

/** Reads every tensor and matrix of a model, uses its tokenizer, and closes it. */
export async function readWhole(model: Model, repacker: Repacker): Promise<void> {
  try {
    for (const matrix of (await settled(model.stored ?? new Map())).values()) {
      await loadInPlace(matrix);
      const data = await matrix.read(repacker);
      if (data.kind === "blocks") repacker.unpack(data);
      if (matrix.permuted) await matrix.order();
    }
    for (const tensor of model.tensors.values()) if (!/^[iu]/.test(tensor.dtype)) await readFloat32(tensor);
    model.tokenizer?.decode(model.tokenizer.encode("ab c\n<s>\u{1f600}"));
  } finally {
    await closeModel(model);
  }
}
