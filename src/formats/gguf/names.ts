// GGUF's tensor names and what they are here (core/model.ts). Source: llama.cpp's gguf-py constants and clip.cpp.

const LAYER: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

const WHOLE: Readonly<Record<string, string>> = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
};

const VISION_LAYER: Readonly<Record<string, string>> = {
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_out: "self_attn.out_proj",
  ln1: "layer_norm1",
  ln2: "layer_norm2",
};

const TOWER = "vision_tower.vision_model";
const VISION_WHOLE: Readonly<Record<string, string>> = {
  "v.class_embd": `${TOWER}.embeddings.class_embedding`,
  "v.patch_embd.weight": `${TOWER}.embeddings.patch_embedding.weight`,
  "v.position_embd.weight": `${TOWER}.embeddings.position_embedding.weight`,
  "v.pre_ln.weight": `${TOWER}.pre_layrnorm.weight`,
  "v.pre_ln.bias": `${TOWER}.pre_layrnorm.bias`,
  "mm.0.weight": "multi_modal_projector.linear_1.weight",
  "mm.0.bias": "multi_modal_projector.linear_1.bias",
  "mm.2.weight": "multi_modal_projector.linear_2.weight",
  "mm.2.bias": "multi_modal_projector.linear_2.bias",
};

/** Canonical name of a tensor of a language model, or null for one that is not needed (such as `rope_freqs.weight`). */
export function decoderName(name: string): string | null {
  const whole = WHOLE[name];
  if (whole) return whole;
  const match = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name);
  const part = match && LAYER[match[2]];
  return part ? `model.layers.${match[1]}.${part}.${match[3]}` : null;
}

/**
 * Canonical name of a tensor of a projector file.
 * @param swapped files of before May 2025 call the first layer of the MLP ffn_down and the second ffn_up
 */
export function visionName(name: string, swapped: boolean): string | null {
  const whole = VISION_WHOLE[name];
  if (whole) return whole;
  const match = /^v\.blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name);
  if (!match) return null;
  const base = `${TOWER}.encoder.layers.${match[1]}`;
  if (match[2] === "ffn_up") return `${base}.mlp.${swapped ? "fc2" : "fc1"}.${match[3]}`;
  if (match[2] === "ffn_down") return `${base}.mlp.${swapped ? "fc1" : "fc2"}.${match[3]}`;
  const part = VISION_LAYER[match[2]];
  return part ? `${base}.${part}.${match[3]}` : null;
}

/** The reverse of `decoderName` and `visionName` (new names), for writing; null for a tensor that GGUF has no place for. */
export function ggufName(canonical: string): string | null {
  for (const table of [WHOLE, VISION_WHOLE]) {
    const whole = Object.entries(table).find(([, name]) => name === canonical);
    if (whole) return whole[0];
  }
  const inDecoder = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(canonical);
  if (inDecoder) return layerName("blk", LAYER, inDecoder);
  const inTower = /^vision_tower\.vision_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(canonical);
  return inTower ? layerName("v.blk", { ...VISION_LAYER, ffn_up: "mlp.fc1", ffn_down: "mlp.fc2" }, inTower) : null;
}

function layerName(prefix: string, table: Readonly<Record<string, string>>, match: RegExpExecArray): string | null {
  const part = Object.entries(table).find(([, name]) => name === match[2]);
  return part ? `${prefix}.${match[1]}.${part[0]}.${match[3]}` : null;
}
