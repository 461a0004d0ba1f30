// The flat table of all parameters: Hugging Face LLaVA names, shapes, places, start values, weight decay.
// Matrices that are applied together (q, k, v; gate, up) stand side by side, so that one product does them all.

import type { DecoderConfig, ModelConfig, ProjectorConfig, VisionConfig } from "../core/config.js";

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Place in the flat arrays, in floats; a multiple of 16. */
  readonly offset: number;
  readonly count: number;
  readonly start:
    | { readonly kind: "constant"; readonly value: number }
    | { readonly kind: "normal"; readonly deviation: number };
  /** Only matrices decay. */
  readonly isDecayed: boolean;
}

export interface ParameterTable {
  readonly parameters: readonly Parameter[];
  readonly byName: ReadonlyMap<string, Parameter>;
  /** Length of the flat arrays, padding included. */
  readonly floats: number;
}

export type LlavaConfig = Extract<ModelConfig, { architecture: "llava" }>;

/**
 * The heads that pre-train the vision tower, dropped afterwards. Features are averaged over `cells` x `cells` parts of the
 * picture, 0 meaning every patch by itself; matrices are padded to whole registers. Digits are asked of every patch, and so
 * is its own place: the decoder can then look up "top left" by content.
 */
export const pretrainingHeads = [
  { name: "pretraining.digits", classes: 10, rows: 16, cells: 0, labels: { first: 0, side: 2 } },
  { name: "pretraining.place", classes: 16, rows: 16, cells: 0, labels: null },
  { name: "pretraining.shape", classes: 3, rows: 8, cells: 1, labels: { first: 4, side: 1 } },
  { name: "pretraining.colour", classes: 8, rows: 8, cells: 1, labels: { first: 5, side: 1 } },
] as const;

type Draft = Omit<Parameter, "offset" | "count">;

const ones = (name: string, size: number): Draft => constant(name, size, 1);
const zeros = (name: string, size: number): Draft => constant(name, size, 0);

function constant(name: string, size: number, value: number): Draft {
  return { name, shape: [size], start: { kind: "constant", value }, isDecayed: false };
}

function matrix(name: string, shape: readonly number[], deviation: number): Draft {
  return { name, shape, start: { kind: "normal", deviation }, isDecayed: true };
}

/** Standard deviation 0.6 / sqrt(inputs); matrices that write into the residual stream are scaled by 1 / sqrt(2 * layers). */
const spread = (inputs: number): number => 0.6 / Math.sqrt(inputs);

function decoderDrafts(config: DecoderConfig): Draft[] {
  const { hidden, layers, heads, kvHeads, headDim, ffn, vocab } = config;
  const residual = 1 / Math.sqrt(2 * layers);
  const drafts = [matrix("language_model.model.embed_tokens.weight", [vocab, hidden], spread(hidden))];
  for (let i = 0; i < layers; i++) {
    const at = `language_model.model.layers.${i}`;
    drafts.push(
      ones(`${at}.input_layernorm.weight`, hidden),
      matrix(`${at}.self_attn.q_proj.weight`, [heads * headDim, hidden], spread(hidden)),
      matrix(`${at}.self_attn.k_proj.weight`, [kvHeads * headDim, hidden], spread(hidden)),
      matrix(`${at}.self_attn.v_proj.weight`, [kvHeads * headDim, hidden], spread(hidden)),
      matrix(`${at}.self_attn.o_proj.weight`, [hidden, heads * headDim], spread(hidden) * residual),
      ones(`${at}.post_attention_layernorm.weight`, hidden),
      matrix(`${at}.mlp.gate_proj.weight`, [ffn, hidden], spread(hidden)),
      matrix(`${at}.mlp.up_proj.weight`, [ffn, hidden], spread(hidden)),
      matrix(`${at}.mlp.down_proj.weight`, [hidden, ffn], spread(ffn) * residual),
    );
  }
  return [...drafts, ones("language_model.model.norm.weight", hidden)];
}

function visionDrafts(config: VisionConfig): Draft[] {
  const { hidden, layers, ffn, patch, imageSize } = config;
  const root = "vision_tower.vision_model";
  const residual = 1 / Math.sqrt(2 * layers);
  const places = (imageSize / patch) ** 2 + 1;
  const drafts = [
    { ...matrix(`${root}.embeddings.class_embedding`, [hidden], 0.02), isDecayed: false },
    matrix(`${root}.embeddings.patch_embedding.weight`, [hidden, 3, patch, patch], spread(3 * patch * patch)),
    matrix(`${root}.embeddings.position_embedding.weight`, [places, hidden], 0.02),
    ones(`${root}.pre_layrnorm.weight`, hidden),
    zeros(`${root}.pre_layrnorm.bias`, hidden),
  ];
  for (let i = 0; i < layers; i++) {
    const at = `${root}.encoder.layers.${i}`;
    const attention = ["q_proj", "k_proj", "v_proj"].map((name) => `${at}.self_attn.${name}`);
    drafts.push(ones(`${at}.layer_norm1.weight`, hidden), zeros(`${at}.layer_norm1.bias`, hidden));
    drafts.push(...attention.map((name) => matrix(`${name}.weight`, [hidden, hidden], spread(hidden))));
    drafts.push(...attention.map((name) => zeros(`${name}.bias`, hidden)));
    drafts.push(
      matrix(`${at}.self_attn.out_proj.weight`, [hidden, hidden], spread(hidden) * residual),
      zeros(`${at}.self_attn.out_proj.bias`, hidden),
      ones(`${at}.layer_norm2.weight`, hidden),
      zeros(`${at}.layer_norm2.bias`, hidden),
      matrix(`${at}.mlp.fc1.weight`, [ffn, hidden], spread(hidden)),
      zeros(`${at}.mlp.fc1.bias`, ffn),
      matrix(`${at}.mlp.fc2.weight`, [hidden, ffn], spread(ffn) * residual),
      zeros(`${at}.mlp.fc2.bias`, hidden),
    );
  }
  return [...drafts, ones(`${root}.post_layernorm.weight`, hidden), zeros(`${root}.post_layernorm.bias`, hidden)];
}

function projectorDrafts({ inputs, outputs }: ProjectorConfig): Draft[] {
  return [
    matrix("multi_modal_projector.linear_1.weight", [outputs, inputs], spread(inputs)),
    zeros("multi_modal_projector.linear_1.bias", outputs),
    matrix("multi_modal_projector.linear_2.weight", [outputs, outputs], spread(outputs)),
    zeros("multi_modal_projector.linear_2.bias", outputs),
  ];
}

function headDrafts(hidden: number): Draft[] {
  return pretrainingHeads.flatMap(({ name, rows }) => [
    matrix(`${name}.weight`, [rows, hidden], spread(hidden)),
    zeros(`${name}.bias`, rows),
  ]);
}

/** Matrices that adapters stand beside: all linears of the decoder's blocks. */
const ADAPTED = /^language_model\.model\.layers\.\d+\..*_proj\.weight$/;

/** LoRA (Hu et al. 2022): `lora.NAME.a` [rank, inputs], spread as a uniform of +-1 / sqrt(inputs), and `lora.NAME.b` [outputs, rank] = 0. */
function adapterDrafts(drafts: readonly Draft[], rank: number): Draft[] {
  if (rank === 0) return [];
  return drafts
    .filter(({ name }) => ADAPTED.test(name))
    .flatMap(({ name, shape: [outputs, inputs] }) => [
      { ...matrix(`lora.${name}.a`, [rank, inputs], 1 / Math.sqrt(3 * inputs)), isDecayed: false },
      { ...matrix(`lora.${name}.b`, [outputs, rank], 0), isDecayed: false },
    ]);
}

/** The whole model and the pre-training heads in one table. @param rank of adapters beside the decoder's linears; 0: none */
export function parameterTable(config: LlavaConfig, rank = 0): ParameterTable {
  let offset = 0;
  const model = [
    ...decoderDrafts(config.decoder),
    ...visionDrafts(config.vision),
    ...projectorDrafts(config.projector),
    ...headDrafts(config.vision.hidden),
  ];
  const drafts = [...model, ...adapterDrafts(model, rank)];
  const parameters = drafts.map((draft): Parameter => {
    const count = draft.shape.reduce((product, size) => product * size, 1);
    const parameter = { ...draft, offset, count };
    offset += Math.ceil(count / 16) * 16;
    return parameter;
  });
  return { parameters, byName: new Map(parameters.map((p) => [p.name, p])), floats: offset };
}

/** Number of trained values whose name starts with one of the prefixes. */
export function countParameters(table: ParameterTable, prefixes: readonly string[]): number {
  const own = table.parameters.filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)));
  return own.reduce((sum, { count }) => sum + count, 0);
}
