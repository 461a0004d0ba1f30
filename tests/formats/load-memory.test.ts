// Loading takes little more memory than the weights: at most 1.2 times, measured as the high-water mark of a process of its
// own, for a model of some 100 MB in GGUF and in AutoAWQ's form.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { count, float, ggufBytes, goodFile, pair, type TensorInfo, text } from "../fuzz/gguf-file.js";
import { root } from "../support/root.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-"));
test.after(() => rmSync(folder, { recursive: true }));

const [HIDDEN, FFN, LAYERS, VOCAB] = [2048, 5632, 4, 256];
/** Outputs and inputs of the matrices of one layer, by GGUF's and Hugging Face's names. */
const MATRICES: readonly (readonly [gguf: string, hf: string, rows: number, cols: number])[] = [
  ["attn_q", "self_attn.q_proj", HIDDEN, HIDDEN],
  ["attn_k", "self_attn.k_proj", HIDDEN, HIDDEN],
  ["attn_v", "self_attn.v_proj", HIDDEN, HIDDEN],
  ["attn_output", "self_attn.o_proj", HIDDEN, HIDDEN],
  ["ffn_gate", "mlp.gate_proj", FFN, HIDDEN],
  ["ffn_up", "mlp.up_proj", FFN, HIDDEN],
  ["ffn_down", "mlp.down_proj", HIDDEN, FFN],
];
const layers = Array.from({ length: LAYERS }, (_, layer) => layer);

function writeGgufModel(type: number): string {
  const pairs = [
    pair("general.architecture", 8, ...text("llama")),
    ...["context_length", "embedding_length", "block_count", "feed_forward_length"].map((key, i) =>
      count(`llama.${key}`, [64, HIDDEN, LAYERS, FFN][i] as number),
    ),
    count("llama.attention.head_count", 16),
    pair("llama.attention.layer_norm_rms_epsilon", 6, float(1e-5)),
  ];
  const perLayer = (layer: number): TensorInfo[] => [
    ...MATRICES.map(([name, , rows, cols]): TensorInfo => [`blk.${layer}.${name}.weight`, [rows, cols], type]),
    [`blk.${layer}.attn_norm.weight`, [HIDDEN], 0],
    [`blk.${layer}.ffn_norm.weight`, [HIDDEN], 0],
  ];
  const tensors: TensorInfo[] = [
    ["token_embd.weight", [VOCAB, HIDDEN], 1],
    ["output_norm.weight", [HIDDEN], 0],
    ...layers.flatMap(perLayer),
  ];
  const path = join(folder, `${type}.gguf`);
  writeFileSync(path, ggufBytes(goodFile(pairs, tensors)));
  return path;
}

function writeAwqModel(): string {
  const path = join(folder, "awq");
  mkdirSync(path);
  const config = {
    ...{ model_type: "llama", hidden_size: HIDDEN, intermediate_size: FFN, num_hidden_layers: LAYERS },
    ...{ num_attention_heads: 16, vocab_size: VOCAB, tie_word_embeddings: true },
    quantization_config: { quant_method: "awq", bits: 4, group_size: 128, zero_point: true, version: "gemm" },
  };
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  const perLayer = (layer: number) => [
    ...MATRICES.flatMap(([, name, rows, cols]) => [
      [`model.layers.${layer}.${name}.qweight`, "I32", [cols, rows / 8], 4] as const,
      [`model.layers.${layer}.${name}.qzeros`, "I32", [cols / 128, rows / 8], 4] as const,
      [`model.layers.${layer}.${name}.scales`, "F16", [cols / 128, rows], 2] as const,
    ]),
    [`model.layers.${layer}.input_layernorm.weight`, "F16", [HIDDEN], 2] as const,
    [`model.layers.${layer}.post_attention_layernorm.weight`, "F16", [HIDDEN], 2] as const,
  ];
  let at = 0;
  const header = Object.fromEntries(
    [
      ["model.embed_tokens.weight", "F16", [VOCAB, HIDDEN], 2] as const,
      ["model.norm.weight", "F16", [HIDDEN], 2] as const,
      ...layers.flatMap(perLayer),
    ].map(([name, dtype, shape, per]) => {
      const begin = at;
      at += per * shape.reduce((a, b) => a * b, 1);
      return [name, { dtype, shape, data_offsets: [begin, at] }];
    }),
  );
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + at).fill(0x11);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  writeFileSync(join(path, "model.safetensors"), bytes);
  return path;
}

const MODELS: readonly (readonly [string, () => string])[] = [
  ["GGUF Q4_0", () => writeGgufModel(2)],
  ["GGUF Q8_0", () => writeGgufModel(8)],
  ["AutoAWQ", writeAwqModel],
];

for (const [name, write] of MODELS) {
  test(`${name}: at most 1.2 times its weights`, () => {
    const path = write();
    const child = join(root, "build/tests/formats/load-memory-child.js");
    const { stdout, stderr } = spawnSync(process.execPath, [child, path], { encoding: "utf8" });
    rmSync(path, { recursive: true });
    assert.match(stdout, /^\{/, stderr);
    const { weightBytes, peakBytes } = JSON.parse(stdout) as { weightBytes: number; peakBytes: number };
    const ratio = peakBytes / weightBytes;
    console.log(`${name}: ${(weightBytes / 1e6).toFixed(0)} MB of weights, ${ratio.toFixed(3)} times that at most`);
    assert.ok(weightBytes > 90e6, `${weightBytes} bytes`);
    assert.ok(ratio <= 1.2, `${ratio} times`);
  });
}

test.run();
