// The shipped model's architecture as Hugging Face describes it: `config.json` and the files beside
// it, and the name and shape of every tensor.

import { imageTokens } from "./pack.js";

const hidden = 128;
const visionLayers = 3;
const decoderLayers = 8;
const heads = 4;
const mlp = 256;
const vocabSize = 1024;
const imageSize = 64;
const patchSize = 16;

/** Contents of `config.json` (LlavaForConditionalGeneration). */
export const modelConfig = {
  architectures: ["LlavaForConditionalGeneration"],
  model_type: "llava",
  torch_dtype: "float16",
  image_token_index: 4,
  image_token_id: 4,
  image_seq_length: imageTokens,
  ignore_index: -100,
  pad_token_id: 3,
  projector_hidden_act: "gelu",
  multimodal_projector_bias: true,
  vision_feature_layer: -1,
  vision_feature_select_strategy: "default",
  tie_word_embeddings: true,
  text_config: {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    torch_dtype: "float16",
    vocab_size: vocabSize,
    hidden_size: hidden,
    intermediate_size: mlp,
    num_hidden_layers: decoderLayers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    head_dim: hidden / heads,
    hidden_act: "silu",
    max_position_embeddings: 512,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    rope_scaling: null,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 3,
  },
  vision_config: {
    model_type: "clip_vision_model",
    torch_dtype: "float16",
    hidden_size: hidden,
    intermediate_size: mlp,
    projection_dim: hidden,
    num_hidden_layers: visionLayers,
    num_attention_heads: heads,
    image_size: imageSize,
    patch_size: patchSize,
    hidden_act: "quick_gelu",
    layer_norm_eps: 1e-5,
  },
} as const;

/** Contents of `preprocessor_config.json`: 64x64 RGB, (x / 255 - 0.5) / 0.5. */
export const preprocessorConfig = {
  image_processor_type: "CLIPImageProcessor",
  processor_class: "LlavaProcessor",
  do_convert_rgb: true,
  do_resize: true,
  size: { shortest_edge: imageSize },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: imageSize, width: imageSize },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
};

/** Contents of `processor_config.json`: how transformers expands one `<image>` into 16. */
export const processorConfig = {
  processor_class: "LlavaProcessor",
  image_token: "<image>",
  patch_size: patchSize,
  vision_feature_select_strategy: "default",
  num_additional_image_tokens: 1,
};

/** Contents of `generation_config.json`. */
export const generationConfig = { bos_token_id: 1, eos_token_id: 2, pad_token_id: 3, do_sample: false };

type Shapes = [name: string, shape: readonly number[]][];

const linear = (name: string, outputs: number, inputs: number): Shapes => [
  [`${name}.weight`, [outputs, inputs]],
  [`${name}.bias`, [outputs]],
];
const layerNorm = (name: string): Shapes => [
  [`${name}.weight`, [hidden]],
  [`${name}.bias`, [hidden]],
];

function decoderLayer(layer: number): Shapes {
  const name = `language_model.model.layers.${layer}`;
  const square = (part: string): Shapes[number] => [`${name}.self_attn.${part}_proj.weight`, [hidden, hidden]];
  return [
    ...["q", "k", "v", "o"].map(square),
    [`${name}.mlp.gate_proj.weight`, [mlp, hidden]],
    [`${name}.mlp.up_proj.weight`, [mlp, hidden]],
    [`${name}.mlp.down_proj.weight`, [hidden, mlp]],
    [`${name}.input_layernorm.weight`, [hidden]],
    [`${name}.post_attention_layernorm.weight`, [hidden]],
  ];
}

function visionLayer(layer: number): Shapes {
  const name = `vision_tower.vision_model.encoder.layers.${layer}`;
  return [
    ...layerNorm(`${name}.layer_norm1`),
    ...layerNorm(`${name}.layer_norm2`),
    ...["q_proj", "k_proj", "v_proj", "out_proj"].flatMap((part) =>
      linear(`${name}.self_attn.${part}`, hidden, hidden),
    ),
    ...linear(`${name}.mlp.fc1`, mlp, hidden),
    ...linear(`${name}.mlp.fc2`, hidden, mlp),
  ];
}

/** Shape of every stored tensor by its Hugging Face name; `lm_head` is tied to the embedding and not stored. */
export function tensorShapes(): ReadonlyMap<string, readonly number[]> {
  const vision = "vision_tower.vision_model";
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  return new Map<string, readonly number[]>([
    ["language_model.model.embed_tokens.weight", [vocabSize, hidden]],
    ...upTo(decoderLayers).flatMap(decoderLayer),
    ["language_model.model.norm.weight", [hidden]],
    ...linear("multi_modal_projector.linear_1", hidden, hidden),
    ...linear("multi_modal_projector.linear_2", hidden, hidden),
    [`${vision}.embeddings.class_embedding`, [hidden]],
    [`${vision}.embeddings.patch_embedding.weight`, [hidden, 3, patchSize, patchSize]],
    [`${vision}.embeddings.position_embedding.weight`, [imageTokens + 1, hidden]],
    ...layerNorm(`${vision}.pre_layrnorm`),
    ...upTo(visionLayers).flatMap(visionLayer),
    ...layerNorm(`${vision}.post_layernorm`),
  ]);
}
