// The cells of the study as plain data, in the order in which they are measured. A cell's hash is its key in the cache: what changes a
// result must stand in its cell.

import { createHash } from "node:crypto";

export type ModelName = "shipped" | "smollm2";

/** Blocks by number, or as many as a criterion chooses. */
export type Removed = { readonly layers: readonly number[] } | { readonly criterion: string; readonly count: number };

export type Stage =
  | { readonly do: "prune"; readonly removed: Removed }
  | { readonly do: "replaceme" }
  | { readonly do: "sft"; readonly steps: number; readonly distill: boolean }
  | { readonly do: "quant"; readonly scheme: string };

export type Cell =
  | { readonly kind: "criteria"; readonly model: ModelName; readonly count: number; readonly names: readonly string[] }
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
export const SMOL_CRITERIA = ["block-influence", "cosine-span", "magnitude", "healed-swap"];
/** 12 and 25 % of 30 blocks. */
export const SMOL_COUNTS = [4, 8] as const;
export const SCHEMES = ["f16", "rtn-int8-row", "rtn-int4-g128", "awq-int4-g128", "gptq-int4-g128"];
export const SMOL_SCHEMES = ["f16", "rtn-int4-g64", "awq-int4-g64"];
export const SFT_STEPS = 60;
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

const quant = (scheme: string): Stage[] => (scheme === "f16" ? [] : [{ do: "quant", scheme }]);
const pipeline = (model: ModelName, ...stages: Stage[]): Cell => ({ kind: "pipeline", model, stages });

export const criteriaCell = (model: ModelName, count: number): Cell => ({
  kind: "criteria",
  model,
  count,
  names: model === "shipped" ? SHIPPED_CRITERIA : SMOL_CRITERIA,
});

export const subsetCell = (layers: readonly number[], heal: boolean): Cell =>
  pipeline("shipped", { do: "prune", removed: { layers } }, ...(heal ? [{ do: "replaceme" } as const] : []));

export const OURS: Removed = { criterion: "healed-swap", count: DEPTH };
const PRUNE: Stage = { do: "prune", removed: OURS };
export const HEALINGS: readonly { readonly name: string; readonly stages: readonly Stage[] }[] = [
  { name: "none", stages: [] },
  { name: "ReplaceMe", stages: [{ do: "replaceme" }] },
  { name: "SFT", stages: [{ do: "sft", steps: SFT_STEPS, distill: false }] },
  { name: "SFT + distillation", stages: [{ do: "sft", steps: SFT_STEPS, distill: true }] },
];

export const wholeCell = (scheme: string): Cell => pipeline("shipped", ...quant(scheme));
export const healCell = (healing: number, scheme: string): Cell =>
  pipeline("shipped", PRUNE, ...HEALINGS[healing].stages, ...quant(scheme));

const AWQ: Stage = { do: "quant", scheme: "awq-int4-g128" };
/** The same blocks removed and the same bits at the end, the stages in other orders. */
export const ORDERS: readonly { readonly name: string; readonly stages: readonly Stage[] }[] = [
  { name: "prune, quantize", stages: [PRUNE, AWQ] },
  { name: "quantize, prune", stages: [AWQ, PRUNE] },
  { name: "prune, ReplaceMe, quantize", stages: [PRUNE, { do: "replaceme" }, AWQ] },
  { name: "quantize, prune, ReplaceMe (healed matrices rounded again)", stages: [AWQ, PRUNE, { do: "replaceme" }] },
  { name: "prune, SFT, quantize", stages: [PRUNE, { do: "sft", steps: SFT_STEPS, distill: false }, AWQ] },
  {
    name: "prune, SFT + distillation, quantize",
    stages: [PRUNE, { do: "sft", steps: SFT_STEPS, distill: true }, AWQ],
  },
];
export const orderCell = (index: number): Cell => pipeline("shipped", ...ORDERS[index].stages);

export const smolCell = (criterion: string, count: number, heal: boolean, scheme: string): Cell =>
  pipeline(
    "smollm2",
    { do: "prune", removed: { criterion, count } },
    ...(heal ? [{ do: "replaceme" } as const] : []),
    ...quant(scheme),
  );

/** Everything, cheap cells first, each once. */
export function allCells(): Cell[] {
  const smol = (scheme: string) =>
    SMOL_COUNTS.flatMap((count) =>
      SMOL_CRITERIA.flatMap((criterion) => [false, true].map((heal) => smolCell(criterion, count, heal, scheme))),
    );
  const ofSize = (count: number) =>
    subsets()
      .filter((set) => set.length === count)
      .flatMap((set) => [subsetCell(set, false), ...(set.includes(0) ? [] : [subsetCell(set, true)])]);
  const cells = [
    ...COUNTS.flatMap((count) => [...ofSize(count), criteriaCell("shipped", count)]),
    ...SCHEMES.map(wholeCell),
    ...[0, 1].flatMap((healing) => SCHEMES.map((scheme) => healCell(healing, scheme))),
    ...[0, 1, 2, 3].map(orderCell),
    ...[2, 3].flatMap((healing) => SCHEMES.map((scheme) => healCell(healing, scheme))),
    ...[4, 5].map(orderCell),
    pipeline("smollm2"),
    ...SMOL_COUNTS.map((count) => criteriaCell("smollm2", count)),
    ...SMOL_SCHEMES.flatMap(smol),
    ...SMOL_SCHEMES.slice(1).map((scheme) => pipeline("smollm2", ...quant(scheme))),
  ];
  return [...new Map(cells.map((cell) => [cellKey(cell), cell])).values()];
}
