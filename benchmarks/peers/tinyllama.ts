// A GGUF of TinyLlama's shape with seeded Q4_0 weights, written tensor by tensor: every contender opens the same file.

import { createWriteStream, existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type GgufOutput, type GgufValue, ggufBytes, ggufChunks } from "../../src/formats/gguf-write.js";
import { dataFolder } from "./folders.js";
import { bits } from "./random.js";

/** TinyLlama-1.1B: https://huggingface.co/TinyLlama/TinyLlama-1.1B-Chat-v1.0/blob/main/config.json */
export const SHAPE = { hidden: 2048, ffn: 5632, heads: 32, kvHeads: 4, headDim: 64, vocab: 32000 } as const;
export const CONTEXT = 512;

const u32 = (value: number): GgufValue => ({ type: "u32", value });
const f32 = (value: number): GgufValue => ({ type: "f32", value });
const text = (value: string): GgufValue => ({ type: "text", value });

function metadata(layers: number): [string, GgufValue][] {
  return [
    ["general.architecture", text("llama")],
    ["general.name", text(`synthetic TinyLlama shape, ${layers} layers`)],
    ["general.file_type", u32(2)],
    ["llama.context_length", u32(CONTEXT)],
    ["llama.embedding_length", u32(SHAPE.hidden)],
    ["llama.block_count", u32(layers)],
    ["llama.feed_forward_length", u32(SHAPE.ffn)],
    ["llama.attention.head_count", u32(SHAPE.heads)],
    ["llama.attention.head_count_kv", u32(SHAPE.kvHeads)],
    ["llama.attention.layer_norm_rms_epsilon", f32(1e-5)],
    ["llama.rope.dimension_count", u32(SHAPE.headDim)],
    ["llama.rope.freq_base", f32(10000)],
    ["llama.vocab_size", u32(SHAPE.vocab)],
    ...vocabulary(),
  ];
}

/** A SentencePiece vocabulary: unknown, begin, end, 256 bytes, then words that mean nothing. */
function vocabulary(): [string, GgufValue][] {
  const ids = Array.from({ length: SHAPE.vocab }, (_, id) => id);
  const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, "0");
  const token = (id: number) => {
    if (id < 3) return ["<unk>", "<s>", "</s>"][id];
    return id < 259 ? `<0x${hex(id - 3)}>` : `word${id}`;
  };
  const type = (id: number) => (id < 3 ? (id === 0 ? 2 : 3) : id < 259 ? 6 : 1);
  return [
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.tokens", { type: "texts", value: ids.map(token) }],
    ["tokenizer.ggml.scores", { type: "f32s", value: ids.map((id) => -id) }],
    ["tokenizer.ggml.token_type", { type: "i32s", value: ids.map(type) }],
    ["tokenizer.ggml.bos_token_id", u32(1)],
    ["tokenizer.ggml.eos_token_id", u32(2)],
    ["tokenizer.ggml.unknown_token_id", u32(0)],
  ];
}

/** Q4_0 blocks (f16 scale, 16 bytes of codes) whose weights have a variance of about 1 / cols. */
function q4Blocks(seed: number, bytes: number, cols: number): Uint8Array {
  const next = bits(seed);
  const words = Uint32Array.from({ length: Math.ceil(bytes / 4) }, next);
  const blocks = new Uint8Array(words.buffer, 0, bytes);
  // Uniform codes deviate by 4.6; the scale's exponent field is that of 2^e, its mantissa stays random.
  const exponent = 15 + Math.floor(Math.log2(1 / (4.6 * 1.5 * Math.sqrt(cols))));
  for (let at = 1; at < bytes; at += 18) blocks[at] = (exponent << 2) | (blocks[at] & 3);
  return blocks;
}

function tensors(layers: number): GgufOutput[] {
  const { hidden, ffn, heads, kvHeads, headDim, vocab } = SHAPE;
  let seed = 1;
  const matrix = (name: string, rows: number, cols: number): GgufOutput => {
    const about = { name, type: "Q4_0", shape: [rows, cols] } as const;
    const own = seed++;
    return { ...about, bytes: async () => q4Blocks(own, ggufBytes(about), cols) };
  };
  const ones = (name: string): GgufOutput => ({
    ...{ name, type: "F32", shape: [hidden] },
    bytes: async () => new Uint8Array(new Float32Array(hidden).fill(1).buffer),
  });
  const layer = (i: number): GgufOutput[] => [
    ones(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, heads * headDim, hidden),
    matrix(`blk.${i}.attn_k.weight`, kvHeads * headDim, hidden),
    matrix(`blk.${i}.attn_v.weight`, kvHeads * headDim, hidden),
    matrix(`blk.${i}.attn_output.weight`, hidden, heads * headDim),
    ones(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, ffn, hidden),
    matrix(`blk.${i}.ffn_up.weight`, ffn, hidden),
    matrix(`blk.${i}.ffn_down.weight`, hidden, ffn),
  ];
  return [
    matrix("token_embd.weight", vocab, hidden),
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    ones("output_norm.weight"),
    matrix("output.weight", vocab, hidden),
  ];
}

/** Writes the file once; its path. */
export async function tinyLlama(layers: number): Promise<string> {
  const path = join(dataFolder(), `tinyllama-${layers}.gguf`);
  if (existsSync(path)) return path;
  const unfinished = `${path}.${process.pid}`;
  await pipeline(Readable.from(ggufChunks(metadata(layers), tensors(layers))), createWriteStream(unfinished));
  renameSync(unfinished, path);
  return path;
}

/** Weights that a token of decoding multiplies by: all but the embedding. One of prefill does without the head. */
export function weightsATokenUses(kind: "decode" | "prefill", layers: number): number {
  const { hidden, ffn, kvHeads, headDim, vocab } = SHAPE;
  const layer = 2 * hidden * hidden + 2 * kvHeads * headDim * hidden + 3 * hidden * ffn;
  return layers * layer + (kind === "decode" ? vocab * hidden : 0);
}

/** Token ids of a prompt. */
export function promptTokens(count: number): number[] {
  const next = bits(11);
  return Array.from({ length: count }, () => 259 + (next() % (SHAPE.vocab - 259)));
}
