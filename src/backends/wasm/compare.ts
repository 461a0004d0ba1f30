// Compares logits in WebAssembly: the scalar build of the kernels in an instance of its own.

import { UnavailableError } from "../../core/errors.js";
import type { LogitComparer, Platform } from "../../core/ports.js";

const PAGE_BYTES = 65536;
/** f64 sums that compareRows writes. */
const SUMS_BYTES = 4 * 8;

interface Kernels {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  compareRows(base: number, model: number, targets: number, rows: number, cols: number, out: number): void;
}

/** Opens the comparer. Throws UnavailableError when the kernels were not built. */
export async function openComparer(platform: Pick<Platform, "wasm">): Promise<LogitComparer> {
  const bytes = await platform.wasm("kernels.scalar");
  const { instance } = await WebAssembly.instantiate(bytes as Uint8Array<ArrayBuffer>);
  const kernels = instance.exports as unknown as Kernels;
  if (!kernels.compareRows)
    throw new UnavailableError("compareRows", "the kernels are old", "Run `npm run build:wasm`");
  const start = (kernels.heapBase() + 15) & ~15;

  return {
    compare(base, model, targets) {
      const rows = targets.length;
      if (base.length !== model.length || rows === 0 || base.length % rows !== 0) {
        throw new RangeError(`${base.length} and ${model.length} logits do not make ${rows} equal rows`);
      }
      const modelAt = start + base.byteLength;
      const targetsAt = modelAt + model.byteLength;
      const sumsAt = (targetsAt + targets.byteLength + 7) & ~7;
      const missing = sumsAt + SUMS_BYTES - kernels.memory.buffer.byteLength;
      if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE_BYTES));
      const { buffer } = kernels.memory;
      new Float32Array(buffer, start, base.length).set(base);
      new Float32Array(buffer, modelAt, model.length).set(model);
      new Int32Array(buffer, targetsAt, rows).set(targets);
      kernels.compareRows(start, modelAt, targetsAt, rows, base.length / rows, sumsAt);
      const [kl = 0, nll = 0, same = 0, right = 0] = new Float64Array(buffer, sumsAt, 4);
      return { rows, kl, nll, same, right };
    },
  };
}
