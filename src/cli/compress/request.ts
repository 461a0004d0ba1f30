// What `nibblemark compress` is asked to do, as plain values, and the checks that cost no time.

import { access } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { linearsOf } from "../../compress/block.js";
import { keptLayers } from "../../compress/prune.js";
import {
  checkAwqFits,
  checkGgufFits,
  checkGroups,
  type QuantizePlan,
  type Scheme,
  schemeName,
} from "../../compress/scheme.js";
import { removable, type Shape } from "../../compress/select.js";
import type { ModelConfig } from "../../core/config.js";
import { InputError } from "../../core/errors.js";
import type { Model } from "../../core/model.js";
import type { KvFormat } from "../../core/op.js";
import { makeFolder } from "../../platform/folders.js";
import { attempt } from "../../platform/node.js";

export const HEALERS = ["replaceme", "replaceme-cosine", "sft", "sft-lora", "sft-projector"] as const;
export type Healer = (typeof HEALERS)[number];
export const FORMATS = ["hf", "mlx", "gguf"] as const;
export type OutputFormat = (typeof FORMATS)[number];

export interface SftOptions {
  readonly steps: number;
  readonly rate: number;
  readonly rank: number;
  /** Weight of the hidden states' distance from the unpruned model's, and of the divergence of its logits. */
  readonly hiddenWeight: number;
  readonly logitWeight: number;
  /** Evaluations without a better loss before it ends. */
  readonly patience: number;
  readonly seed: number;
}

export interface CompressRequest {
  readonly kind: "compress";
  readonly input: string;
  readonly output: string;
  readonly force: boolean;
  /** Forgets the work of an earlier call that was killed. */
  readonly restart: boolean;
  /** Blocks to remove by number, or how many; null: none. */
  readonly prune: { readonly layers: readonly number[] } | { readonly count: number } | null;
  /** Name of a criterion or preset. */
  readonly criterion: string;
  /** Other criteria whose scores are shown beside it. */
  readonly compare: readonly string[];
  readonly shape: Shape;
  /** null: the first two and the last. */
  readonly protect: readonly number[] | null;
  readonly heal: readonly Healer[];
  readonly ridge: number | null;
  readonly sft: SftOptions;
  readonly plan: QuantizePlan;
  readonly actOrder: boolean;
  readonly duo: boolean;
  readonly balanced: boolean;
  /** Keys and values of past positions of the result; null: as the input says, else f32. */
  readonly kv: KvFormat | null;
  readonly format: OutputFormat;
  readonly calib: string | null;
  /** Samples for sft; null: those of `calib`. */
  readonly healData: string | null;
  readonly general: string | null;
  readonly adapter: string | null;
  /** Most sets that `healed-swap` runs. */
  readonly searchBudget: number;
  /** Most samples that criteria try removals on; null: all. */
  readonly searchSamples: number | null;
  readonly longest: number;
  readonly threads: number;
  readonly dequantize: boolean;
  /** Measure no quality and speed of the stages. */
  readonly unmeasured: boolean;
  readonly yes: boolean;
  readonly tool: string;
}

const fail = (field: string, problem: string, remedy: string) =>
  new InputError("nibblemark compress", field, problem, remedy);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** ReplaceMe maps what the whole model does, once; SFT goes on from what stands there. */
function checkHealers(heal: readonly Healer[]): void {
  const twice = heal.find((name, i) => heal.indexOf(name) < i);
  if (twice) throw fail("--heal", `${twice} is named twice`, "Name each once; --steps N trains longer");
  if (heal.includes("replaceme") && heal.includes("replaceme-cosine")) {
    throw fail("--heal", "replaceme and replaceme-cosine heal the same blocks", "Name one of them");
  }
  const late = heal.find((name, i) => i > 0 && name.startsWith("replaceme"));
  if (!late) return;
  const order = [late, ...heal.filter((name) => name !== late)].join(",");
  throw fail("--heal", `${late} maps what the unhealed model does and comes first`, `Write --heal ${order}`);
}

/** What needs no model: healers in turn, and the place of the result. */
export async function checkPlace({ output, force, input, heal }: CompressRequest): Promise<void> {
  checkHealers(heal);
  if (resolve(output) === resolve(input)) throw fail("OUT", "is where the model is read from", "Name another folder");
  if (!force && (await exists(output))) {
    throw new InputError(output, "", "exists already", "Name another place, or replace it with --force");
  }
  await attempt(output, () => makeFolder(dirname(resolve(output))));
}

/** How many blocks leave; 0: none. */
export function removedCount({ prune }: CompressRequest): number {
  if (!prune) return 0;
  return "layers" in prune ? prune.layers.length : prune.count;
}

/** Criteria that have to look at the model with calibration data. */
export const criteriaOf = ({ criterion, compare, prune }: CompressRequest): readonly string[] =>
  !prune || "layers" in prune ? compare : [criterion, ...compare.filter((name) => name !== criterion)];

/** Everything about the model that would fail later. */
export function checkModel(request: CompressRequest, model: Model, protect: readonly number[]): void {
  const { config } = model;
  const { prune, plan, format } = request;
  if (prune && "layers" in prune) keptLayers(config.decoder.layers, prune.layers);
  else if (prune) {
    if (prune.count >= config.decoder.layers)
      keptLayers(config.decoder.layers, [...Array(config.decoder.layers).keys()]);
    const { layers } = config.decoder;
    removable(layers, { count: prune.count, protect });
  }
  const strange = request.protect?.find((layer) => layer >= config.decoder.layers);
  if (strange !== undefined) {
    throw fail("--protect", `there is no block ${strange}`, `The blocks are 0 to ${config.decoder.layers - 1}`);
  }
  if (!prune && request.heal.some((name) => name.startsWith("replaceme"))) {
    throw fail("--heal", "replaceme heals removed blocks, none is removed", "Give --prune N");
  }
  checkParts(config, plan);
  if (format === "hf") checkAwqFits(config.decoder, plan);
  if (format === "gguf") {
    checkGgufFits(plan);
    // Blocks of Q4_0, Q4_1 and Q8_0 have 32 columns, whatever shares a scale before.
    const blocks = (scheme: Scheme | null) => scheme && ({ ...scheme, group: 32 } as const);
    const { decoder, embedding, vision, projector } = plan;
    const whole = { decoder: blocks(decoder), embedding: blocks(embedding), vision: blocks(vision) };
    checkParts(config, { ...plan, ...whole, projector: blocks(projector) });
  }
  if (format === "gguf" && !model.tokenizer) {
    throw new InputError(model.origin, "tokenizer", "is missing, a GGUF file needs one", "Use --format hf");
  }
  if ((plan.vision || plan.projector) && config.architecture !== "llava") {
    throw fail("--quant-vision", "this model has no vision tower", "Leave it out");
  }
}

function checkParts(config: ModelConfig, plan: QuantizePlan): void {
  for (const { name, cols } of linearsOf(config.decoder, 0)) checkGroups(name, cols, plan.decoder);
  checkGroups("model.embed_tokens.weight", config.decoder.hidden, plan.embedding);
  if (config.architecture !== "llava") return;
  checkGroups("vision_tower", config.vision.hidden, plan.vision);
  checkGroups("vision_tower mlp.fc2", config.vision.ffn, plan.vision);
  checkGroups("multi_modal_projector", config.projector.inputs, plan.projector);
  checkGroups("multi_modal_projector", config.projector.outputs, plan.projector);
}

/** One line of what is planned. */
export function describe({ prune, criterion, heal, plan, kv }: CompressRequest): string {
  const removed = !prune
    ? "no block removed"
    : "layers" in prune
      ? `blocks ${prune.layers}`
      : `${prune.count} blocks by ${criterion}`;
  const name = (scheme: Scheme | null) => schemeName(scheme);
  const mean = plan.meanBits === null ? "" : ` mixed with 8 bits, at most ${plan.meanBits} bits a weight`;
  const parts = `decoder ${name(plan.decoder)}${mean}, embedding ${name(plan.embedding)}, vision ${name(plan.vision)}`;
  return `${removed}; healing: ${heal.length > 0 ? heal.join(", ") : "none"}; ${parts}, projector ${name(plan.projector)}${kv === "int8" ? ", KV int8" : ""}`;
}
