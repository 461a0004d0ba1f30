// config.json to a model's shape: transformers' defaults where a partial config leaves fields out, refusal by name of
// what the runtime does not know.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ModelConfig } from "../../src/core/config.js";
import { readConfig } from "../../src/formats/hf-config.js";
import { canonicalName } from "../../src/formats/hf-folder.js";
import { refuses } from "../support/refuses.js";
import { tinyConfig } from "./tiny-llava.js";

type Llava = Extract<ModelConfig, { architecture: "llava" }>;
const read = (config: unknown, preprocessor: unknown = null) => readConfig("config.json", config, preprocessor);

/** As published with llava-hf/llava-1.5-7b-hf: most fields are left to their defaults. */
const LLAVA_15_7B = {
  model_type: "llava",
  image_token_index: 32000,
  projector_hidden_act: "gelu",
  text_config: { model_type: "llama", max_position_embeddings: 4096, rms_norm_eps: 1e-5, vocab_size: 32064 },
  vision_config: {
    model_type: "clip_vision_model",
    hidden_size: 1024,
    image_size: 336,
    intermediate_size: 4096,
    num_attention_heads: 16,
    num_hidden_layers: 24,
    patch_size: 14,
  },
  vision_feature_layer: -2,
  vision_feature_select_strategy: "default",
};

test("LLaVA-1.5-7B's partial config means its known shapes", () => {
  const { decoder, vision, projector, imageTokenId } = read(LLAVA_15_7B) as Llava;
  assert.equal(decoder, {
    hidden: 4096,
    layers: 32,
    heads: 32,
    kvHeads: 32,
    headDim: 128,
    ffn: 11008,
    vocab: 32064,
    maxContext: 4096,
    normEps: 1e-5,
    ropeTheta: 10000,
    ropeStyle: "half",
    tiedEmbeddings: false,
  });
  assert.equal([vision.activation, vision.normEps, vision.featureLayer], ["quickGelu", 1e-5, -2]);
  assert.equal(projector, { activation: "gelu", inputs: 1024, outputs: 4096 });
  assert.is(imageTokenId, 32000);
});

test("a LLaMA config, tied by its root, with the newer rope field", () => {
  const config = { model_type: "llama", tie_word_embeddings: true, rope_parameters: { rope_theta: 5e5 } };
  const { decoder } = read(config);
  assert.equal([decoder.tiedEmbeddings, decoder.ropeTheta, decoder.maxContext], [true, 5e5, 2048]);
});

test("pixel normalisation comes from preprocessor_config.json", () => {
  const { vision } = read(tinyConfig, { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.25] }) as Llava;
  assert.equal(
    [vision.mean, vision.std],
    [
      [0.5, 0.5, 0.5],
      [0.5, 0.5, 0.25],
    ],
  );
});

test("names of LLaVA files of every age become canonical", () => {
  const names = [
    ["language_model.model.norm.weight", "model.norm.weight"],
    ["language_model.lm_head.weight", "lm_head.weight"],
    ["model.language_model.norm.weight", "model.norm.weight"],
    ["model.vision_tower.vision_model.pre_layrnorm.bias", "vision_tower.vision_model.pre_layrnorm.bias"],
    ["model.multi_modal_projector.linear_1.bias", "multi_modal_projector.linear_1.bias"],
    ["model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"],
  ];
  for (const [file, canonical] of names) assert.is(canonicalName(file), canonical);
});

test("decoders of other families: biases, reach, scaled frequencies", () => {
  const base = { hidden_size: 32, num_attention_heads: 4, num_key_value_heads: 2, vocab_size: 64 };
  const decoder = (fields: object) => read({ ...base, ...fields }).decoder;
  assert.equal(decoder({ model_type: "qwen2", use_sliding_window: false, sliding_window: 16 }).biases, ["q", "k", "v"]);
  assert.is(decoder({ model_type: "qwen2", sliding_window: 16 }).maxContext, 32768);
  assert.is(decoder({ model_type: "mistral", sliding_window: 16 }).maxContext, 16);
  assert.is(decoder({ model_type: "mistral", sliding_window: null, max_position_embeddings: 99 }).maxContext, 99);
  assert.equal(decoder({ model_type: "llama", attention_bias: true, mlp_bias: true }).biases?.length, 7);
  assert.equal(decoder({ model_type: "llama", rope_scaling: { type: "linear", factor: 3 } }).ropeFactors, [3, 3, 3, 3]);
  const llama3 = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
  const scaled = { ...llama3, original_max_position_embeddings: 64 };
  const factors = decoder({ model_type: "llama", rope_scaling: scaled }).ropeFactors ?? [];
  // Waves in 64 positions: 10.2 (kept), 1.02 (faded), 0.1 and 0.01 (divided by 8).
  assert.is(factors[0], 1);
  assert.ok(factors[1] > 7 && factors[1] < 8, `${factors[1]}`);
  assert.equal(factors.slice(2), [8, 8]);
});

test("dynamic scaling is plain RoPE up to what the model was made for, and reaches no further", () => {
  const read = (rope_scaling: object) => {
    return readConfig("config.json", { model_type: "llama", max_position_embeddings: 64, rope_scaling }, null).decoder;
  };
  const whole = read({ rope_type: "dynamic", factor: 4 });
  assert.equal([whole.maxContext, whole.ropeFactors], [64, undefined]);
  assert.is(read({ rope_type: "dynamic", factor: 4, original_max_position_embeddings: 16 }).maxContext, 16);
});

const text = (fields: object) => ({ ...tinyConfig, text_config: { ...tinyConfig.text_config, ...fields } });
const vision = (fields: object) => ({ ...tinyConfig, vision_config: { ...tinyConfig.vision_config, ...fields } });

const REFUSED: readonly (readonly [unknown, RegExp])[] = [
  [{ model_type: "gpt2" }, /model_type: "gpt2" is not supported.*llama.*mistral, qwen2, llava/],
  [{}, /model_type: "" is not supported/],
  [[], /no JSON object/],
  [text({ model_type: "gemma" }), /text_config\.model_type: "gemma"/],
  [text({ hidden_size: "big" }), /text_config\.hidden_size: is "big", a count from 1/],
  [text({ hidden_size: 0 }), /text_config\.hidden_size/],
  [text({ num_hidden_layers: 1e300 }), /text_config\.num_hidden_layers/],
  [text({ num_hidden_layers: 1e9 }), /num_hidden_layers: is 1000000000, a count from 1 to 1024/],
  [text({ num_key_value_heads: 4 }), /num_key_value_heads: 4 does not divide 2/],
  [text({ hidden_size: 13 }), /head_dim: is 6\.5/],
  [text({ attention_bias: 1 }), /attention_bias: is 1, true or false/],
  [text({ rope_scaling: { rope_type: "longrope" } }), /rope_scaling\.rope_type: "longrope" is not supported/],
  [text({ rope_scaling: { rope_type: "yarn", factor: 0.5 } }), /rope_scaling\.factor: 0.5 is below 1/],
  [text({ rope_scaling: { type: "dynamic", factor: 0.5 } }), /factor: 0.5 is below 1/],
  [text({ rope_scaling: { type: "linear", factor: 0 } }), /factor: 0 is below 1/],
  [text({ rope_theta: 0 }), /rope_theta: 0 is not above 0/],
  [text({ hidden_act: "gelu" }), /text_config\.hidden_act/],
  [vision({ model_type: "siglip_vision_model" }), /vision_config\.model_type: "siglip/],
  [vision({ patch_size: 3 }), /patch_size: 3 does not divide/],
  [vision({ num_attention_heads: 3 }), /num_attention_heads: 3 does not divide 8/],
  [vision({ hidden_act: "relu" }), /vision_config\.hidden_act: "relu"/],
  [{ ...tinyConfig, vision_feature_layer: [-2, -5] }, /vision_feature_layer/],
  [{ ...tinyConfig, vision_feature_layer: 3 }, /vision_feature_layer/],
  [{ ...tinyConfig, vision_feature_select_strategy: "full" }, /select_strategy: "full"/],
  [{ ...tinyConfig, image_token_index: 400 }, /image_token_index: 400 is outside/],
];

for (const [config, message] of REFUSED) {
  test(`refuses with ${message}`, () => refuses(() => read(config), /config\.json/, message));
}

test("names the folder of a faulty preprocessor, and that file in the remedy", () =>
  refuses(
    () => readConfig("some/folder/config.json", tinyConfig, { image_std: [1, 0, 1] }),
    /^some\/folder\/preprocessor_config\.json: image_std/,
    /Use the preprocessor_config\.json/,
  ));

test("refuses a preprocessor that does not fit", async () => {
  await refuses(() => read(tinyConfig, { image_std: [1, 0, 1] }), /preprocessor_config\.json: image_std/);
  await refuses(() => read(tinyConfig, { image_mean: [1] }), /image_mean/);
  await refuses(() => read(tinyConfig, { crop_size: { height: 9, width: 9 } }), /crop_size: 9 is not the image size 8/);
});

test.run();
