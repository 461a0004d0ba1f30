// Fuzzing of the reader of llama.cpp's files of log-probabilities.

import { openKldBase } from "../../src/formats/kld-base.js";
import { strictSource } from "./files.js";
import type { Fuzzer } from "./fuzzer.js";
import { hurtBytes, hurtEnd, pick, type Random } from "./lies.js";

const LIES = [0, 1, 2, 3, 5, 8, 16, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** Two chunks of 8 tokens over a vocabulary of 6: three scored positions each. */
function damaged(random: Random): Uint8Array {
  const [context, vocab, chunks] = [8, 6, 2];
  const record = (2 * Math.floor((vocab + 1) / 2) + 4) * 2;
  const bytes = new Uint8Array(20 + context * chunks * 4 + chunks * (context - 1 - context / 2) * record);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("_logits_"));
  [context, vocab, chunks].forEach((size, i) => {
    view.setUint32(8 + 4 * i, random() < 0.15 ? pick(LIES, random) : size, true);
  });
  for (let i = 0; i < context * chunks; i++) view.setInt32(20 + 4 * i, i % vocab, true);
  return hurtEnd(random() < 0.4 ? hurtBytes(bytes, random, 3) : bytes, random, 0.15);
}

export const kldFuzzer: Fuzzer = {
  make: damaged,
  read: async (bytes) => {
    const base = await openKldBase(strictSource("fuzzed.kld", bytes));
    for (let chunk = 0; chunk < base.header.chunks; chunk++) await base.records(chunk);
  },
};
