// llama.cpp's records of log-probabilities in WebAssembly: the scalar build of the kernels in an instance of its own.

import { type KldCoder, kldRecordBytes } from "../../core/kld.js";
import type { Platform } from "../../core/ports.js";
import { openArena } from "./arena.js";
import { type Loaded, loadKernels } from "./kernels.js";

/** f64 that kldCompare writes for each row. */
const FIGURES = 6;

export async function openKldCoder(platform: Platform): Promise<KldCoder> {
  const loaded = await loadKernels(platform, "scalar");
  return {
    encode: (logits, vocab) => encode(loaded, logits, vocab),
    compare: (records, logits, targets) => compare(loaded, records, logits, targets),
  };
}

function areas({ kernels, memory }: Loaded, ...sizes: readonly number[]): readonly number[] {
  const arena = openArena(memory, kernels.heapBase() >>> 0, "comparison");
  const places = sizes.map((bytes) => arena.take(bytes));
  arena.grow();
  return places;
}

function encode(loaded: Loaded, logits: Float32Array, vocab: number): Uint8Array {
  const rows = logits.length / vocab;
  const bytes = rows * kldRecordBytes(vocab);
  const [from, to] = areas(loaded, logits.byteLength, bytes) as [number, number];
  new Float32Array(loaded.memory.buffer, from, logits.length).set(logits);
  loaded.kernels.kldEncode(from, rows, vocab, to);
  return new Uint8Array(loaded.memory.buffer, to, bytes).slice();
}

function compare(loaded: Loaded, records: Uint8Array, logits: Float32Array, targets: Int32Array) {
  const rows = targets.length;
  const vocab = logits.length / rows;
  if (!Number.isInteger(vocab) || records.length !== rows * kldRecordBytes(vocab)) {
    throw new RangeError(`${records.length} bytes of records and ${logits.length} logits do not make ${rows} rows`);
  }
  const sizes = [records.length, logits.byteLength, targets.byteLength, rows * FIGURES * 8];
  const [base, model, wanted, out] = areas(loaded, ...sizes) as [number, number, number, number];
  const { buffer } = loaded.memory;
  new Uint8Array(buffer, base, records.length).set(records);
  new Float32Array(buffer, model, logits.length).set(logits);
  new Int32Array(buffer, wanted, rows).set(targets);
  loaded.kernels.kldCompare(base, model, wanted, rows, vocab, out);
  return Array.from({ length: rows }, (_, row) => {
    const [kl, nllBase, nllModel, pBase, pModel, same] = new Float64Array(buffer, out + row * FIGURES * 8, FIGURES);
    return { kl, nllBase, nllModel, pBase, pModel, same: same === 1 };
  });
}
