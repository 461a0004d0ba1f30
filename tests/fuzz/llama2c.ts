// Fuzzing of the llama2.c reader and its tokenizer file: sizes that lie, tokens that lie, bytes, ends.

import { openModel } from "../../src/formats/index.js";
import { join, packFiles, platformOf } from "./files.js";
import { type Fuzzer, readWhole } from "./fuzzer.js";
import { hurtBytes, hurtEnd, pick, type Random } from "./lies.js";

/** dim, ffn, layers, heads, kvHeads, vocab, context. */
const SIZES = [8, 12, 2, 2, 1, 262, 16] as const;
const LIES = [0, 1, -1, 2, 3, 7, 255, 261, 263, 1 << 16, 1 << 24, (1 << 24) + 1, 2 ** 31 - 1, -(2 ** 31)];

function model(random: Random): Uint8Array {
  const [dim, ffn, layers, heads, kv, vocab, context] = SIZES;
  const perLayer = 2 * dim + 2 * dim * dim + 2 * dim * (dim / heads) * kv + 3 * dim * ffn;
  const own = random() < 0.5;
  const count = vocab * dim * (own ? 2 : 1) + layers * perLayer + dim + context * (dim / heads);
  const header = Int32Array.from(SIZES, (size, i) => (i === 5 && own ? -size : size));
  for (let lies = Math.floor(random() * 3); lies > 0; lies--) header[Math.floor(random() * 7)] = pick(LIES, random);
  const values = Float32Array.from({ length: count }, () => random() - 0.5);
  if (random() < 0.1) values[Math.floor(random() * count)] = pick([Number.NaN, Number.POSITIVE_INFINITY], random);
  return join([new Uint8Array(header.buffer), new Uint8Array(values.buffer)]);
}

function tokens(random: Random): Uint8Array {
  const lying = random() < 0.4 ? Math.floor(random() * SIZES[5]) : -1;
  const parts = Array.from({ length: SIZES[5] }, (_, id) => {
    const text = new TextEncoder().encode(id < 259 ? `<${id}>` : pick(["a", "b", "ab", "\u00e9"], random));
    const head = new DataView(new ArrayBuffer(8));
    head.setFloat32(0, -id, true);
    head.setInt32(4, id === lying ? pick(LIES, random) : text.length, true);
    return join([new Uint8Array(head.buffer), text]);
  });
  const file = join([new Uint8Array(4), ...parts]);
  return random() < 0.2 ? hurtBytes(file, random, 3) : file;
}

const damaged = (random: Random): Uint8Array =>
  packFiles({ "stories.bin": hurtEnd(model(random), random, 0.1), "tok.bin": hurtEnd(tokens(random), random, 0.1) });

export const llama2cFuzzer: Fuzzer = {
  make: damaged,
  read: async (bytes, repacker) => readWhole(await openModel(platformOf(bytes), "m/stories.bin"), repacker),
};
