// All layer criteria behind one interface: what each needs, and its scores by token class where it has them. Low scores are
// removed first in every one of them.

import { InputError } from "../core/errors.js";
import type { LogitComparer } from "../core/ports.js";
import type { WriteSource } from "../core/write.js";
import type { CompressModule } from "./kernels.js";
import { PRESETS } from "./prune.js";
import { TOKEN_CLASSES, type TokenClass } from "./samples.js";
import { greedySet, healedSwap, type TriedSet } from "./search.js";
import { orderOf, type SelectOptions, SHAPES, selectSet } from "./select.js";
import type { ClassScores, SimilarityScores } from "./similarity.js";
import { type Losses, meanLoss, type Trial } from "./trial.js";
import { type AdapterMatrix, loraDeltaScores, magnitudeScores } from "./weights.js";

export const CRITERIA = [
  { name: "block-influence", help: "1 - cosine of a block's input and output (ShortGPT)", data: true },
  { name: "angular", help: "angle of a block's input and output at the last token (Gromov et al.)", data: true },
  { name: "cosine-span", help: "contiguous span whose ends are most alike (LLM-Streamline)", data: true },
  { name: "perplexity", help: "loss without the block (Shortened LLaMA)", data: true },
  { name: "task-loss", help: "loss of the answers without the block", data: true },
  { name: "taylor", help: "sum of |weight x gradient| (Shortened LLaMA)", data: true },
  { name: "magnitude", help: "sum of |weight|", data: false },
  { name: "sleb", help: "loss, scored again after every removal (SLEB)", data: true },
  { name: "lora-delta", help: "how far an adapter moved the block: --adapter", data: false },
  { name: "activation-shift", help: "how differently it works on domain and general data: --general", data: true },
  { name: "healed-swap", help: "ours: exchanges blocks as long as the healed model's divergence falls", data: true },
] as const;

export type CriterionName = (typeof CRITERIA)[number]["name"];

/** One criterion's view of all blocks. */
export interface LayerScores {
  readonly criterion: string;
  /** Scores by class; criteria of weights alone (magnitude, lora-delta) have `all` only. null: no score (protected in a search, or the class is absent). */
  readonly scores: Readonly<Partial<Record<TokenClass | "all", readonly (number | null)[]>>>;
  /** Blocks, least important first. */
  readonly order: readonly number[];
  /** The set that it would remove. */
  readonly removed: readonly number[];
}

/** Where the expensive pieces come from; each is made when the first criterion asks for it. */
export interface CriterionParts {
  readonly module: CompressModule;
  readonly source: WriteSource;
  readonly comparer: LogitComparer;
  /** null: no calibration data. */
  readonly similarity: (() => Promise<SimilarityScores>) | null;
  readonly trial: (() => Promise<Trial>) | null;
  /** Sum of |w * dL/dw| of each block, L over all predicted tokens or those of a class; the reason where the trainer cannot do this model. */
  readonly taylor: (() => Promise<ClassScores>) | string;
  readonly adapter: { readonly name: string; readonly matrices: readonly AdapterMatrix[] } | null;
  /** Relative distance of domain and general activations; null without general data. */
  readonly shift: (() => Promise<ClassScores>) | null;
  /** Most sets that `healed-swap` runs. */
  readonly searchBudget: number;
}

const onlyAll = (all: readonly (number | null)[]) => ({ all });

function missing(criterion: string, what: string, remedy: string): InputError {
  return new InputError("nibblemark compress", `--criterion ${criterion}`, `needs ${what}`, remedy);
}

/** Throws InputError for a criterion that misses what it needs: before any long work. */
export function checkCriterion(
  name: CriterionName,
  parts: Omit<CriterionParts, "module" | "source" | "comparer">,
): void {
  const entry = CRITERIA.find((one) => one.name === name);
  if (entry?.data && (!parts.trial || !parts.similarity)) throw missing(name, "calibration data", "Give --calib FILE");
  if (name === "lora-delta" && !parts.adapter) throw missing(name, "an adapter", "Give --adapter FOLDER");
  if (name === "activation-shift" && !parts.shift) throw missing(name, "general data too", "Give --general FILE");
  if (name === "taylor" && typeof parts.taylor === "string") {
    throw missing(name, `gradients, and ${parts.taylor}`, "Use another criterion");
  }
}

function simple(
  criterion: string,
  scores: LayerScores["scores"],
  options: SelectOptions,
  spans?: readonly (number | null)[],
): LayerScores {
  const order = orderOf(scores.all ?? []);
  return { criterion, scores, order, removed: selectSet(order, options, spans) };
}

/** Loss of every single removal by class. */
async function lossScores(trial: Trial, field: "nll" | "kl"): Promise<LayerScores["scores"] & { all: number[] }> {
  const each: Losses[] = [];
  for (let layer = 0; layer < trial.layers; layer++) each.push(await trial.losses([layer], false));
  const classes = TOKEN_CLASSES.filter((name) => trial.base[name]);
  const byClass = classes.map((name) => [name, each.map((losses) => losses[name]?.[field] ?? null)] as const);
  return { ...Object.fromEntries(byClass), all: each.map((losses) => meanLoss(losses, field)) };
}

/** Loss by class when each block left, in the order in which they did; known already, nothing runs. */
async function stepLosses(trial: Trial, order: readonly number[]): Promise<LayerScores["scores"]> {
  const scores: Partial<Record<TokenClass, (number | null)[]>> = {};
  for (const [i, layer] of order.entries()) {
    for (const [name, { nll }] of Object.entries(await trial.losses(order.slice(0, i + 1), false))) {
      const list = scores[name as TokenClass] ?? new Array<number | null>(trial.layers).fill(null);
      list[layer] = nll;
      scores[name as TokenClass] = list;
    }
  }
  return scores;
}

/** Scores of one criterion. */
export async function criterionScores(
  name: CriterionName,
  parts: CriterionParts,
  options: SelectOptions,
): Promise<LayerScores> {
  checkCriterion(name, parts);
  const { layers } = parts.source.config.decoder;
  const { module, source } = parts;
  const similarity = async () => (await parts.similarity?.()) as SimilarityScores;
  const trial = async () => (await parts.trial?.()) as Trial;
  switch (name) {
    case "block-influence":
      return simple(name, (await similarity()).influence, options);
    case "angular": {
      const { angular, spanAngular } = await similarity();
      return simple(name, angular, options, spanAngular);
    }
    case "cosine-span":
      return spanScores((await similarity()).spanCosine, layers, options);
    case "perplexity":
      return simple(name, await lossScores(await trial(), "nll"), options);
    case "task-loss": {
      const scores = await lossScores(await trial(), "nll");
      if (!scores.answer) throw missing(name, "answers", "Give samples with answers, or use perplexity");
      return simple(name, { ...scores, all: scores.answer }, options);
    }
    case "taylor":
      if (typeof parts.taylor === "string") throw missing(name, parts.taylor, "Use another criterion");
      return simple(name, await parts.taylor(), options);
    case "magnitude":
      return simple(name, onlyAll(await magnitudeScores(module, source.tensors, layers)), options);
    case "sleb": {
      const found = await greedySet(await trial(), options, (losses) => meanLoss(losses, "nll"));
      const own = ranked(name, found.order, found.removed, layers);
      return { ...own, scores: { ...(await stepLosses(await trial(), found.order)), ...own.scores } };
    }
    case "lora-delta": {
      const { name: folder, matrices } = parts.adapter as NonNullable<CriterionParts["adapter"]>;
      return simple(name, onlyAll(await loraDeltaScores(module, folder, matrices, layers)), options);
    }
    case "activation-shift":
      return simple(name, (await parts.shift?.()) ?? onlyAll([]), options);
    case "healed-swap": {
      const { removed, tried } = await healedSwap(
        await trial(),
        options,
        await proposals(parts, options),
        parts.searchBudget,
      );
      const scores = cheapestSets(tried, layers);
      return { criterion: name, scores, order: first(removed, orderOf(scores.all)), removed };
    }
    default:
      return name satisfies never;
  }
}

/** Of each block the divergence of the best tried set that it leaves in: all classes alike, and each; null: in no tried set. */
function cheapestSets(tried: readonly TriedSet[], layers: number): LayerScores["scores"] & { all: (number | null)[] } {
  const best = Array.from({ length: layers }, (_, layer) => {
    const sets = tried.filter(({ set }) => set.includes(layer));
    return sets.length === 0 ? null : sets.reduce((a, b) => (b.divergence < a.divergence ? b : a));
  });
  const classes = TOKEN_CLASSES.filter((name) => best.some((one) => one?.losses[name]));
  const byClass = classes.map((name) => [name, best.map((one) => one?.losses[name]?.kl ?? null)] as const);
  return { ...Object.fromEntries(byClass), all: best.map((one) => one?.divergence ?? null) };
}

const first = (chosen: readonly number[], order: readonly number[]): readonly number[] => [
  ...chosen,
  ...order.filter((layer) => !chosen.includes(layer)),
];

/** A criterion that gives an order alone: the score of a block is its place. */
function ranked(criterion: string, order: readonly number[], removed: readonly number[], layers: number): LayerScores {
  const whole = first(
    order,
    Array.from({ length: layers }, (_, layer) => layer),
  );
  const all = Array.from({ length: layers }, (_, layer) => (order.includes(layer) ? order.indexOf(layer) : null));
  return { criterion, scores: onlyAll(all), order: whole, removed };
}

/** A span's score stands at its first block; its set is the span itself. */
function spanScores(spans: ClassScores, layers: number, options: SelectOptions): LayerScores {
  const padded = Object.fromEntries(
    Object.entries(spans).map(([name, list]) => [name, Array.from({ length: layers }, (_, i) => list[i] ?? null)]),
  );
  const order = orderOf(padded.all);
  const removed = selectSet(order, { ...options, shape: "contiguous" }, padded.all);
  return { criterion: "cosine-span", scores: padded, order, removed };
}

/** Sets that the cheap criteria propose, in all three shapes or the asked one: where `healed-swap` starts. Block 0 cannot be healed. */
async function proposals(parts: CriterionParts, options: SelectOptions): Promise<readonly (readonly number[])[]> {
  const names: readonly CriterionName[] = ["block-influence", "angular", "cosine-span", "perplexity", "task-loss"];
  const sets: (readonly number[])[] = [];
  for (const name of names) {
    for (const shape of options.shape === "free" ? SHAPES : [options.shape]) {
      try {
        const protect = [0, ...options.protect];
        sets.push((await criterionScores(name, parts, { ...options, protect, shape })).removed);
      } catch (error) {
        // A shape that the protected blocks leave no room for proposes nothing.
        if (!(error instanceof InputError)) throw error;
      }
    }
  }
  return sets;
}

/** The order of a preset. Throws InputError for a name or a depth that it is not for. */
export function presetOrder(name: string, layers: number): readonly number[] {
  const preset = PRESETS[name];
  if (!preset) {
    const known = [...CRITERIA.map((one) => one.name), ...Object.keys(PRESETS)].join(", ");
    throw new InputError("nibblemark compress", "--criterion", `"${name}" is unknown`, `Known are: ${known}`);
  }
  if (preset.layers !== layers) {
    const problem = `${name} is an order of ${preset.layers} blocks, the model has ${layers}`;
    throw new InputError("nibblemark compress", "--criterion", problem, "Use a criterion that looks at this model");
  }
  return preset.order;
}
