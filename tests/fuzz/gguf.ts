// Fuzzing of the GGUF reader: a small good model of one layer, with one or the other vocabulary, whose fields then lie.

import { readGguf } from "../../src/formats/gguf.js";
import { strictSource } from "./files.js";
import { type Fuzzer, readWhole } from "./fuzzer.js";
import { count, float, goodFile, hurtGguf, int, list, pair, type TensorInfo, text } from "./gguf-file.js";
import type { Random } from "./lies.js";

const TOKENS = ["<unk>", "<s>", "</s>", "<0x0A>", "\u2581a", "b", "ab", "c"];
const SPM = [
  pair("tokenizer.ggml.model", 8, ...text("llama")),
  list(
    "tokenizer.ggml.scores",
    6,
    TOKENS.map((_, i) => [float(-i)]),
  ),
];
const BPE = [
  pair("tokenizer.ggml.model", 8, ...text("gpt2")),
  list("tokenizer.ggml.merges", 8, [text("a b"), text("ab c")]),
];

/** A model of one layer, hidden 32. */
const TENSORS: readonly TensorInfo[] = [
  ["token_embd.weight", [8, 32], 8],
  ["output_norm.weight", [32], 0],
  ["blk.0.attn_norm.weight", [32], 0],
  ["blk.0.ffn_norm.weight", [32], 0],
  ["blk.0.attn_q.weight", [32, 32], 2],
  ["blk.0.attn_k.weight", [16, 32], 3],
  ["blk.0.attn_v.weight", [16, 32], 6],
  ["blk.0.attn_output.weight", [32, 32], 7],
  ["blk.0.ffn_gate.weight", [64, 32], 20],
  ["blk.0.ffn_up.weight", [64, 32], 1],
  ["blk.0.ffn_down.weight", [32, 64], 30],
];

function damaged(random: Random): Uint8Array {
  const pairs = [
    pair("general.architecture", 8, ...text("llama")),
    ...[
      ["context_length", 64],
      ["embedding_length", 32],
      ["block_count", 1],
      ["feed_forward_length", 64],
    ].map(([key, value]) => count(`llama.${key}`, value as number)),
    count("llama.attention.head_count", 4),
    count("llama.attention.head_count_kv", 2),
    pair("llama.attention.layer_norm_rms_epsilon", 6, float(1e-5)),
    list("tokenizer.ggml.tokens", 8, TOKENS.map(text)),
    list(
      "tokenizer.ggml.token_type",
      5,
      TOKENS.map((_, i) => [int(4, i < 3 ? 3 : i === 3 ? 6 : 1)]),
    ),
    ...(random() < 0.5 ? BPE : SPM),
  ];
  return hurtGguf(goodFile(pairs, TENSORS), random);
}

export const ggufFuzzer: Fuzzer = {
  make: damaged,
  read: async (bytes, repacker) =>
    readWhole(await readGguf("fuzzed", strictSource("fuzzed.gguf", bytes), null), repacker),
};
