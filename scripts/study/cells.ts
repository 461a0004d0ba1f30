// The cells of the study as plain data, in the order in which they are measured. A cell's hash is its key in the cache: what changes a
// result must stand in its cell.

import { createHash } from "node:crypto";

export type ModelName = "shipped" | "smollm2";

/** Blocks by number, or as many as a criterion chooses. */
export type Removed = { readonly layers: readonly number[] } | { readonly criterion: string; readonly count: number };

export type Stage =
  | { readonly do: "prune"; readonly removed: Removed }
  | { readonly do: "replaceme"; readonly form: "published" | "weighed" }
  | {
      readonly do: "sft";
      readonly steps: number;
      readonly rate: string;
      readonly questions: number;
      readonly distill: boolean;
    }
  | { readonly do: "quant"; readonly scheme: string };

export type Cell =
  | {
      readonly kind: "criteria";
      readonly model: ModelName;
      readonly count: number;
      readonly names: readonly string[];
      /** Parts of the samples, where healed sets are judged on other samples than they were healed on. */
      readonly folds?: number;
    }
  | { readonly kind: "pipeline"; readonly model: ModelName; readonly stages: readonly Stage[] };

/** Of the method: raise it when a measurement changes its meaning, and all cells are measured anew. */
const REVISION = 1;

export const cellKey = (cell: Cell): string =>
  createHash("sha256")
    .update(JSON.stringify([REVISION, cell]))
    .digest("hex")
    .slice(0, 16);

const SHIPPED_LAYERS = 8;
export const COUNTS = [1, 2, 3] as const;
export const SHIPPED_CRITERIA = [
  "block-influence",
  "angular",
  "cosine-span",
  "perplexity",
  "task-loss",
  "taylor",
  "magnitude",
  "sleb",
  "healed-swap",
];
/** Scored together: the first ones cost one pass, the others many. */
const SMOL_CHEAP = ["block-influence", "cosine-span", "magnitude"];
const SMOL_SEARCHES = ["perplexity", "healed-swap"];
export const SMOL_CRITERIA = [...SMOL_CHEAP, ...SMOL_SEARCHES];
/** 12 and 25 % of 30 blocks. */
export const SMOL_COUNTS = [4, 8] as const;
export const SCHEMES = ["f16", "rtn-int8-row", "rtn-int4-g128", "awq-int4-g128", "gptq-int4-g128"];
export const SMOL_SCHEMES = ["f16", "rtn-int4-g64", "awq-int4-g64"];
/** Samples of the training splits: so many questions, and half as many stretches of text. */
export const SFT = { steps: 160, rate: "3e-4", questions: 2400 } as const;
/** Sets of this many blocks go through healing, quantization and the orders of stages. */
export const DEPTH = 2;

/** All sets of 1 to 3 of the shipped model's blocks. */
export function subsets(): number[][] {
  const all = Array.from({ length: SHIPPED_LAYERS }, (_, layer) => layer);
  const ones = all.map((a) => [a]);
  const more = (sets: number[][]) =>
    sets.flatMap((set) => all.filter((b) => b > (set.at(-1) as number)).map((b) => [...set, b]));
  const twos = more(ones);
  return [...ones, ...twos, ...more(twos)];
}

/** What `compress` does unless a ridge is given. */
const WEIGHED: Stage = { do: "replaceme", form: "weighed" };

const quant = (scheme: string): Stage[] => (scheme === "f16" ? [] : [{ do: "quant", scheme }]);
const pipeline = (model: ModelName, ...stages: Stage[]): Cell => ({ kind: "pipeline", model, stages });

/** The cell that a criterion is scored in. */
export function criteriaCell(model: ModelName, count: number, criterion: string): Cell {
  if (model === "shipped") return { kind: "criteria", model, count, names: SHIPPED_CRITERIA, folds: 2 };
  const names = SMOL_CHEAP.includes(criterion) ? SMOL_CHEAP : [criterion];
  return { kind: "criteria", model, count, names, ...(criterion === "healed-swap" ? { folds: 2 } : {}) };
}

export const subsetCell = (layers: readonly number[], heal: boolean): Cell =>
  pipeline("shipped", { do: "prune", removed: { layers } }, ...(heal ? [WEIGHED] : []));

export const OURS: Removed = { criterion: "healed-swap", count: DEPTH };
const PRUNE: Stage = { do: "prune", removed: OURS };
const PLAIN_SFT: Stage = { do: "sft", ...SFT, distill: false };
const DISTILLED_SFT: Stage = { do: "sft", ...SFT, distill: true };
export const HEALINGS: readonly { readonly name: string; readonly stages: readonly Stage[] }[] = [
  { name: "none", stages: [] },
  { name: "ReplaceMe as published", stages: [{ do: "replaceme", form: "published" }] },
  { name: "ReplaceMe", stages: [WEIGHED] },
  { name: "SFT", stages: [PLAIN_SFT] },
  { name: "SFT + distillation", stages: [DISTILLED_SFT] },
];

export const wholeCell = (scheme: string): Cell => pipeline("shipped", ...quant(scheme));
export const healCell = (healing: number, scheme: string): Cell =>
  pipeline("shipped", PRUNE, ...HEALINGS[healing].stages, ...quant(scheme));

const AWQ: Stage = { do: "quant", scheme: "awq-int4-g128" };
/** The same blocks removed and the same bits at the end, the stages in other orders. */
export const ORDERS: readonly { readonly name: string; readonly stages: readonly Stage[] }[] = [
  { name: "prune, quantize", stages: [PRUNE, AWQ] },
  { name: "quantize, prune", stages: [AWQ, PRUNE] },
  { name: "prune, ReplaceMe, quantize", stages: [PRUNE, WEIGHED, AWQ] },
  { name: "quantize, prune, ReplaceMe (healed matrices rounded again)", stages: [AWQ, PRUNE, WEIGHED] },
  { name: "prune, SFT, quantize", stages: [PRUNE, PLAIN_SFT, AWQ] },
  {
    name: "prune, SFT + distillation, quantize",
    stages: [PRUNE, DISTILLED_SFT, AWQ],
  },
];
export const orderCell = (index: number): Cell => pipeline("shipped", ...ORDERS[index].stages);

export const smolCell = (criterion: string, count: number, heal: boolean, scheme: string): Cell =>
  pipeline("smollm2", { do: "prune", removed: { criterion, count } }, ...(heal ? [WEIGHED] : []), ...quant(scheme));

/** SmolLM2's cells: what judges the criteria first, then schemes. */
function smolCells(): Cell[] {
  const of = (criteria: readonly string[], heal: boolean, scheme: string) =>
    criteria.flatMap((name) => SMOL_COUNTS.map((count) => smolCell(name, count, heal, scheme)));
  const scored = (name: string) => SMOL_COUNTS.map((count) => criteriaCell("smollm2", count, name));
  return [
    pipeline("smollm2"),
    ...scored(SMOL_CHEAP[0]),
    ...of(SMOL_CHEAP, false, "f16"),
    ...of(SMOL_CHEAP, true, "f16"),
    ...SMOL_SEARCHES.flatMap((name) => [...scored(name), ...[false, true].flatMap((heal) => of([name], heal, "f16"))]),
    ...SMOL_SCHEMES.slice(1).flatMap((scheme) => [
      pipeline("smollm2", ...quant(scheme)),
      ...[false, true].flatMap((heal) => of(SMOL_CRITERIA, heal, scheme)),
    ]),
  ];
}

/** Everything, cheap cells first, each once. */
export function allCells(): Cell[] {
  const ofSize = (count: number) =>
    subsets()
      .filter((set) => set.length === count)
      .flatMap((set) => [subsetCell(set, false), ...(set.includes(0) ? [] : [subsetCell(set, true)])]);
  const cells = [
    ...COUNTS.flatMap((count) => [...ofSize(count), criteriaCell("shipped", count, SHIPPED_CRITERIA[0])]),
    ...SCHEMES.map(wholeCell),
    ...[0, 1, 2].flatMap((healing) => SCHEMES.map((scheme) => healCell(healing, scheme))),
    ...[0, 1, 2, 3].map(orderCell),
    ...[3, 4].flatMap((healing) => SCHEMES.map((scheme) => healCell(healing, scheme))),
    ...[4, 5].map(orderCell),
    ...smolCells(),
  ];
  return [...new Map(cells.map((cell) => [cellKey(cell), cell])).values()];
}
