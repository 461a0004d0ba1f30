// A LLaVA of a few thousand random weights as a Hugging Face folder in a temporary place, whole or with something wrong.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutputTensor } from "../../src/formats/safetensors-write.js";
import { writeSafetensors } from "../../src/formats/safetensors-write.js";
import { uniform } from "../../src/model/sample.js";
import { nodePlatform } from "../../src/platform/node.js";

export const tinyConfig = {
  model_type: "llava",
  image_token_index: 4,
  vision_feature_layer: -2,
  text_config: {
    model_type: "llama",
    vocab_size: 40,
    hidden_size: 12,
    intermediate_size: 20,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 24,
  },
  vision_config: {
    model_type: "clip_vision_model",
    hidden_size: 8,
    intermediate_size: 12,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    image_size: 8,
    patch_size: 4,
  },
};

type Shape = readonly [name: string, ...shape: number[]];

function shapes(): Shape[] {
  const vision = "vision_tower.vision_model";
  const both = (name: string, rows: number, cols: number): Shape[] => [
    [`${name}.weight`, rows, cols],
    [`${name}.bias`, rows],
  ];
  const norm = (name: string): Shape[] => [
    [`${name}.weight`, 8],
    [`${name}.bias`, 8],
  ];
  const tower = [0, 1].flatMap((layer) => {
    const base = `${vision}.encoder.layers.${layer}`;
    const heads = ["q_proj", "k_proj", "v_proj", "out_proj"].flatMap((part) => both(`${base}.self_attn.${part}`, 8, 8));
    const mlp = [...both(`${base}.mlp.fc1`, 12, 8), ...both(`${base}.mlp.fc2`, 8, 12)];
    return [...norm(`${base}.layer_norm1`), ...heads, ...norm(`${base}.layer_norm2`), ...mlp];
  });
  const decoder = [0, 1].flatMap((layer): Shape[] => {
    const base = `language_model.model.layers.${layer}`;
    return [
      [`${base}.input_layernorm.weight`, 12],
      [`${base}.self_attn.q_proj.weight`, 12, 12],
      [`${base}.self_attn.k_proj.weight`, 6, 12],
      [`${base}.self_attn.v_proj.weight`, 6, 12],
      [`${base}.self_attn.o_proj.weight`, 12, 12],
      [`${base}.post_attention_layernorm.weight`, 12],
      [`${base}.mlp.gate_proj.weight`, 20, 12],
      [`${base}.mlp.up_proj.weight`, 20, 12],
      [`${base}.mlp.down_proj.weight`, 12, 20],
    ];
  });
  return [
    [`${vision}.embeddings.class_embedding`, 8],
    [`${vision}.embeddings.patch_embedding.weight`, 8, 3, 4, 4],
    [`${vision}.embeddings.position_embedding.weight`, 5, 8],
    ...norm(`${vision}.pre_layrnorm`),
    ...tower,
    ...norm(`${vision}.post_layernorm`),
    ...both("multi_modal_projector.linear_1", 12, 8),
    ...both("multi_modal_projector.linear_2", 12, 12),
    ["language_model.model.embed_tokens.weight", 40, 12],
    ...decoder,
    ["language_model.model.norm.weight", 12],
    ["language_model.lm_head.weight", 40, 12],
  ];
}

/** All tensors, f32, seeded. */
export function tinyTensors(): OutputTensor[] {
  const random = uniform(7);
  return shapes().map(([name, ...shape]) => {
    const count = shape.reduce((product, n) => product * n, 1);
    const values = Float32Array.from({ length: count }, () => (random() - 0.5) * 1.5);
    return { name, dtype: "f32", shape, bytes: () => new Uint8Array(values.buffer) };
  });
}

const folders: string[] = [];
process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-test-"));
  folders.push(folder);
  return folder;
}

export interface TinyParts {
  readonly config?: unknown;
  readonly tensors?: readonly OutputTensor[];
}

/** Writes the folder and gives its path. */
export async function writeTinyLlava(parts: TinyParts = {}): Promise<string> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "config.json"), JSON.stringify(parts.config ?? tinyConfig));
  await writeSafetensors(nodePlatform(), join(folder, "model.safetensors"), parts.tensors ?? tinyTensors(), {});
  return folder;
}
