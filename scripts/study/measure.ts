// Runs one cell: which blocks criteria choose, or a pipeline of stages and what its model loses on held-out samples.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Engine,
  floatsOf,
  keptInMemory,
  longestOf,
  openEngine,
  withValues,
} from "../../src/cli/compress/engine.js";
import type { CompressRequest } from "../../src/cli/compress/request.js";
import { chooseLayers } from "../../src/cli/compress/scoring.js";
import { roundMatrix, valuesOf } from "../../src/compress/codes.js";
import { keptLayers, prunedSource } from "../../src/compress/prune.js";
import { parseScheme, type Scheme } from "../../src/compress/scheme.js";
import { healKept, type Kept, keepActivations } from "../../src/compress/trial.js";
import type { WriteSource } from "../../src/core/write.js";
import { writeCalibration } from "../model/calibset.js";
import { ensureData } from "../model/fetch.js";
import { type Bed, evaluate, type Rounding } from "./bench.js";
import { type Cell, cellKey, criteriaCell, type Removed, type Stage } from "./cells.js";
import { rounded } from "./rounding.js";
import type { CellResult, Store } from "./store.js";

/** Of the samples of SFT: other ones than the shipped calibration set has. */
const SFT_SEED = 21;

type CriteriaCell = Extract<Cell, { kind: "criteria" }>;
type PipelineCell = Extract<Cell, { kind: "pipeline" }>;

/** Most sets that healed-swap runs: of the deep model fewer, each is a pass over 30 blocks. */
const BUDGET = { shipped: 40, smollm2: 12 } as const;

export async function measure(bed: Bed, cell: Cell, store: Store): Promise<CellResult> {
  const known = store.find(cell);
  if (known) return known;
  const began = performance.now();
  const found = cell.kind === "criteria" ? await chooseAll(bed, cell) : await runStages(bed, cell, store);
  const result = { ...found, seconds: Math.round((performance.now() - began) / 100) / 10 } as CellResult;
  store.add(cell, result);
  return result;
}

/** Samples that removals are tried on: of the deep model fewer, as its criteria's papers do (10 of 128 tokens). */
const SEARCH_SAMPLES = { shipped: null, smollm2: 16 } as const;

/** Block 0 stays: ReplaceMe needs a block before the ones that leave. No other block is protected. */
async function chooseAll(bed: Bed, { names, count, model }: CriteriaCell) {
  const request: CompressRequest = {
    ...REQUEST,
    ...{ prune: { count }, criterion: names[0], compare: names.slice(1) },
    ...{ searchBudget: BUDGET[model], searchSamples: SEARCH_SAMPLES[model] },
  };
  const trial = () => bed.trial(request);
  const { scores } = await chooseLayers(bed.engine, request, bed.calib, null, async () => {}, trial);
  const chosen = scores.map(({ criterion, removed, order }) => ({ criterion, removed, order }));
  return { kind: "criteria", chosen } as const;
}

const REQUEST: CompressRequest = {
  ...{ kind: "compress", input: "", output: "", force: false, restart: false, prune: null, criterion: "", compare: [] },
  ...{
    shape: "free",
    protect: [0],
    heal: [],
    ridge: null,
    actOrder: true,
    duo: false,
    balanced: false,
    kv: null,
    format: "hf",
    calib: "",
  },
  sft: { steps: 1, rate: 0, rank: 8, hiddenWeight: 0, logitWeight: 0, patience: 1, seed: 1 },
  plan: { decoder: null, embedding: null, vision: null, projector: null, meanBits: null },
  ...{
    healData: null,
    general: null,
    adapter: null,
    searchBudget: 40,
    searchSamples: null,
    longest: 256,
    threads: 0,
    dequantize: true,
  },
  ...{ unmeasured: true, yes: true, tool: "study" },
};

/** A model on its way: `removed` are blocks of `source` that are still in it. */
interface Way {
  readonly source: WriteSource;
  readonly removed: readonly number[];
  readonly scheme: Scheme | null;
  /** Blocks from the first one on that are still the unpruned model's own, or its own under the scheme. */
  readonly untouched: number;
  /** Of rounded blocks; null before. */
  readonly rounding: Rounding | null;
  /** Of a model that was trained anew; closed by the caller. */
  readonly engine: Engine | null;
}

async function runStages(bed: Bed, cell: PipelineCell, store: Store) {
  const untouched = bed.source.config.decoder.layers;
  let way: Way = { source: bed.source, removed: [], scheme: null, untouched, rounding: null, engine: null };
  try {
    for (const stage of cell.stages) way = await step(bed, cell, way, stage, store);
    const final = prunedSource(way.source, way.removed);
    const losses = await evaluate(bed, final, way);
    return { kind: "pipeline", losses, layers: final.config.decoder.layers } as const;
  } finally {
    await way.engine?.close();
  }
}

async function step(bed: Bed, cell: PipelineCell, way: Way, stage: Stage, store: Store): Promise<Way> {
  switch (stage.do) {
    case "prune": {
      const removed = await layersOf(bed, cell, stage.removed, store);
      return { ...way, removed, untouched: Math.min(way.untouched, ...removed) };
    }
    case "replaceme":
      return { ...way, source: await replaced(bed, way, stage.form), untouched: Math.max(0, way.untouched - 1) };
    case "quant":
      return roundedWay(bed, way, parseScheme("--quant", stage.scheme) as Scheme);
    case "sft":
      return trained(bed, way, stage);
    default:
      return stage satisfies never;
  }
}

async function layersOf(bed: Bed, { model }: PipelineCell, removed: Removed, store: Store) {
  if ("layers" in removed) return removed.layers;
  const found = await measure(bed, criteriaCell(model, removed.count, removed.criterion), store);
  const chosen = found.kind === "criteria" && found.chosen.find(({ criterion }) => criterion === removed.criterion);
  if (!chosen) throw new Error(`${removed.criterion} was not run`);
  return chosen.removed;
}

/** ReplaceMe on the model as it is; of a rounded one the healed matrices are rounded again, so that the size stays. */
async function replaced(bed: Bed, { source, removed, scheme }: Way, form: "published" | "weighed") {
  const { calib, engine } = bed;
  const { module } = engine;
  const parts = {
    module,
    config: source.config.decoder,
    floats: floatsOf(source),
    ridge: form === "published" ? 0 : null,
  };
  const fitted = calib.samples.map((_, i) => i);
  const heal = async () => healKept(parts, await activationsOf(bed, source), removed, fitted);
  const changed = source === bed.source ? await kept(bed.healings, `${form} ${removed}`, heal) : await heal();
  if (!scheme) return withValues(source, changed);
  const { hidden, ffn } = source.config.decoder;
  const again = [...changed].map(([name, values]) => {
    const codes = roundMatrix(module, values, hidden, ffn, { ...scheme, method: "rtn" });
    return [name, valuesOf(module, codes)] as const;
  });
  return withValues(source, new Map(again));
}

/** What a map holds under a name, made where it is missing. */
async function kept<T>(map: Map<string, T>, name: string, make: () => Promise<T>): Promise<T> {
  const value = map.get(name) ?? (await make());
  map.set(name, value);
  return value;
}

/** Those of the unpruned model are shared by all cells. */
async function activationsOf(bed: Bed, source: WriteSource): Promise<Kept> {
  if (source === bed.source) return bed.calibrated();
  const { engine, calib } = bed;
  const forward = await engine.forward(source, longestOf(calib.samples));
  try {
    const states = await forward.embed(calib.samples);
    return await keepActivations({ forward, floats: floatsOf(source), states }, true);
  } finally {
    await forward.close();
  }
}

async function roundedWay(bed: Bed, way: Way, scheme: Scheme): Promise<Way> {
  const { source, rounding } = await rounded(bed, way, scheme, bed.roundings);
  return { ...way, source, removed: [], scheme, rounding };
}

/** SFT by the command itself, on samples of the training splits; its result is kept in the cache. */
async function trained(bed: Bed, { removed }: Way, stage: Extract<Stage, { do: "sft" }>): Promise<Way> {
  const layers = keptLayers(bed.source.config.decoder.layers, removed).join("-");
  const { steps, rate, questions, distill } = stage;
  const folder = join(".cache", "study");
  const out = join(folder, `sft-${layers}-${steps}-${rate}-${questions}${distill ? "-distilled" : ""}`);
  if (!existsSync(out)) {
    const data = join(folder, `sft-data-${questions}`);
    if (!existsSync(data)) writeCalibration(ensureData(), data, questions, SFT_SEED);
    const extra = distill ? ["--distill-hidden", "1", "--distill-logits", "1"] : [];
    const args = ["compress", bed.path, out, "--prune", `layers:${removed.join(",")}`, "--heal", "sft", ...extra];
    const from = ["--heal-data", join(data, "calib.jsonl"), "--steps", String(steps), "--rate", rate];
    const more = ["--no-measure", "--yes", "-q"];
    const { status, stderr } = spawnSync(process.execPath, ["scripts/nibblemark.mjs", ...args, ...from, ...more], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`compress ended with ${status}: ${stderr}`);
  }
  const engine = await openEngine(bed.engine.platform, out, { threads: bed.engine.threads, dequantize: true });
  return { source: keptInMemory(engine.source), removed: [], scheme: null, untouched: 0, rounding: null, engine };
}

export const nameOf = (cell: Cell): string =>
  cell.kind === "criteria"
    ? `${cell.model}: ${cell.count} blocks by ${cell.names.join(", ")}`
    : `${cell.model}: ${cell.stages.map((stage) => JSON.stringify(stage)).join(" ") || "as it is"} ${cellKey(cell)}`;
