// llama2.c checkpoints, version 0 (karpathy/llama2.c export.py): seven int32 (dim, ffn, layers, heads, kvHeads, vocab,
// context; a negative vocab means an own classifier), then f32 tensors stacked over layers, then two RoPE tables.

import type { DecoderConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Platform } from "../core/ports.js";
import type { ByteSource, LazyTensor } from "../core/tensor.js";
import { openLlama2cTokenizer } from "./tokenizer-llama2c.js";

const HEADER_BYTES = 28;

interface Header {
  readonly decoder: DecoderConfig;
  /** Bytes the whole file must have. */
  readonly fileBytes: number;
}

/** The file has no magic number: seven sizes that fit each other are its mark. */
export async function isLlama2c(source: ByteSource): Promise<boolean> {
  return (await readHeader(source)) !== null;
}

/** Opens the checkpoint and, where one of its vocabulary stands beside it, the tokenizer. Throws InputError. */
export async function openLlama2c(platform: Platform, path: string): Promise<Model> {
  const source = await platform.open(path);
  const header = await readHeader(source);
  if (!header || header.fileBytes !== source.sizeBytes) {
    const problem = header ? `has ${source.sizeBytes} bytes, its header asks for ${header.fileBytes}` : "bad header";
    await source.close();
    throw new InputError(path, "header", problem, "Get the whole file again");
  }
  const { decoder } = header;
  return {
    name: path.replace(/^.*[/\\]/, "").replace(/\.bin$/, ""),
    origin: path,
    config: { architecture: "llama", decoder },
    tensors: new Map(layout(decoder, source).map((tensor) => [tensor.name, tensor])),
    tokenizer: await findTokenizer(platform, path, decoder.vocab),
    fileBytes: source.sizeBytes,
  };
}

async function readHeader(source: ByteSource): Promise<Header | null> {
  if (source.sizeBytes < HEADER_BYTES) return null;
  const bytes = await source.read(0, HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const numbers = Array.from({ length: 7 }, (_, i) => view.getInt32(i * 4, true));
  const [hidden, ffn, layers, heads, kvHeads, signedVocab, maxContext] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const vocab = Math.abs(signedVocab);
  if ([hidden, ffn, layers, heads, kvHeads, vocab, maxContext].some((n) => n < 1 || n > 1 << 24)) return null;
  if (hidden % heads !== 0 || heads % kvHeads !== 0 || (hidden / heads) % 2 !== 0) return null;
  const decoder: DecoderConfig = {
    hidden,
    layers,
    heads,
    kvHeads,
    headDim: hidden / heads,
    ffn,
    vocab,
    maxContext,
    normEps: 1e-5,
    ropeTheta: 10000,
    ropeStyle: "adjacent",
    tiedEmbeddings: signedVocab > 0,
  };
  return { decoder, fileBytes: HEADER_BYTES + 4 * blocks(decoder).reduce((sum, b) => sum + b.count * b.size, 0) };
}

interface Block {
  /** Canonical name with `N` for the layer, or null for what we do not read. */
  readonly name: string | null;
  readonly shape: readonly number[];
  readonly count: number;
  readonly size: number;
}

function blocks(c: DecoderConfig): Block[] {
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  const block = (name: string | null, count: number, ...shape: number[]): Block => {
    return { name, shape, count, size: shape.reduce((product, n) => product * n, 1) };
  };
  return [
    block("model.embed_tokens.weight", 1, c.vocab, c.hidden),
    block("model.layers.N.input_layernorm.weight", c.layers, c.hidden),
    block("model.layers.N.self_attn.q_proj.weight", c.layers, q, c.hidden),
    block("model.layers.N.self_attn.k_proj.weight", c.layers, kv, c.hidden),
    block("model.layers.N.self_attn.v_proj.weight", c.layers, kv, c.hidden),
    block("model.layers.N.self_attn.o_proj.weight", c.layers, c.hidden, q),
    block("model.layers.N.post_attention_layernorm.weight", c.layers, c.hidden),
    block("model.layers.N.mlp.gate_proj.weight", c.layers, c.ffn, c.hidden),
    block("model.layers.N.mlp.down_proj.weight", c.layers, c.hidden, c.ffn),
    block("model.layers.N.mlp.up_proj.weight", c.layers, c.ffn, c.hidden),
    block("model.norm.weight", 1, c.hidden),
    block(null, 1, c.maxContext, c.headDim),
    ...(c.tiedEmbeddings ? [] : [block("lm_head.weight", 1, c.vocab, c.hidden)]),
  ];
}

function layout(decoder: DecoderConfig, source: ByteSource): LazyTensor[] {
  const tensors: LazyTensor[] = [];
  let offset = HEADER_BYTES;
  for (const { name, shape, count, size } of blocks(decoder)) {
    for (let i = 0; i < count; i++) {
      if (name) {
        tensors.push({ name: name.replace("N", `${i}`), dtype: "f32", shape, source, offset, byteLength: size * 4 });
      }
      offset += size * 4;
    }
  }
  return tensors;
}

/** `tokenizer.bin`, or else the first `tok*.bin` in the model's folder that has exactly the model's vocabulary. */
async function findTokenizer(platform: Platform, path: string, vocab: number): Promise<Model["tokenizer"]> {
  const folder = path.replace(/[^/\\]*$/, "") || ".";
  const names = (await platform.list(folder)).filter((name) => /^tok.*\.bin$/.test(name));
  for (const name of names) {
    const source = await platform.open(`${folder}/${name}`);
    try {
      return await openLlama2cTokenizer(source, vocab);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    } finally {
      await source.close();
    }
  }
  return null;
}
