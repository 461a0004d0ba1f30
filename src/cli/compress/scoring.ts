// Which blocks leave: runs the asked criterion, and those it is compared with, on one set of samples.

import {
  CRITERIA,
  type CriterionName,
  type CriterionParts,
  checkCriterion,
  criterionScores,
  type LayerScores,
  presetOrder,
} from "../../compress/criteria.js";
import { type CalibrationSet, spread, TOKEN_CLASSES, type TokenClass } from "../../compress/samples.js";
import { protectedByDefault, type SelectOptions, type Shape, selectSet } from "../../compress/select.js";
import { activationShift, type SimilarityScores, similarityScores } from "../../compress/similarity.js";
import { openTrial, type Trial, type TrialMemo, type TrialParts } from "../../compress/trial.js";
import { InputError } from "../../core/errors.js";
import type { StreamedForward } from "../../core/layers.js";
import type { WriteSource } from "../../core/write.js";
import { readAdapter } from "./adapter.js";
import { type Engine, floatsOf, keptInMemory, longestOf } from "./engine.js";
import { expectedRuns } from "./estimate.js";
import { type CompressRequest, criteriaOf, removedCount } from "./request.js";
import { taylorOf } from "./taylor.js";
import { trainableReason } from "./trainable.js";

export interface Scoring {
  readonly removed: readonly number[];
  /** The asked criterion first. */
  readonly scores: readonly LayerScores[];
}

const isCriterion = (name: string): name is CriterionName => CRITERIA.some((one) => one.name === name);

/** Block 0 stays where ReplaceMe heals: its map goes into the block before. */
export function protectedOf({ protect, heal }: CompressRequest, layers: number): readonly number[] {
  const asked = protect ?? protectedByDefault(layers);
  const heals = heal.some((name) => name.startsWith("replaceme"));
  return heals && !asked.includes(0) ? [0, ...asked] : asked;
}

/** Why a criterion cannot be asked of this model, with these samples or for this shape, as the end of a sentence; null: it can. */
function unusable(name: string, engine: Engine, set: CalibrationSet | null, shape: Shape): string | null {
  if (!isCriterion(name) && shape !== "free") return `is a published order, which has no --shape ${shape}`;
  if (name === "cosine-span" && shape === "spaced") return "goes by whole spans, which have no --shape spaced";
  const has = (kind: TokenClass) =>
    set?.samples.some(({ classes }) => classes.includes(TOKEN_CLASSES.indexOf(kind))) ?? true;
  if (name === "taylor") {
    const reason = trainableReason(engine.model.config);
    return reason ?? (has("answer") || has("text") ? null : "the calibration data have neither answers nor text");
  }
  return name === "task-loss" && !has("answer") ? "the calibration data have no answers" : null;
}

/** Those of the criteria to compare that this model and these samples allow; what is left out and why. */
export function comparable(request: CompressRequest, engine: Engine, set: CalibrationSet | null) {
  const reasons = request.compare.map((name) => ({ name, reason: unusable(name, engine, set, request.shape) }));
  return {
    compare: reasons.flatMap(({ name, reason }) => (reason === null ? [name] : [])),
    left: reasons.flatMap(({ name, reason }) => (reason === null ? [] : [`${name} is left out: ${reason}`])),
  };
}

/** Throws InputError for a criterion that misses what it needs, and for blocks that cannot be chosen so, before any long work. */
export async function checkScoring(
  request: CompressRequest,
  engine: Engine,
  set: CalibrationSet | null,
): Promise<void> {
  const { layers } = engine.model.config.decoder;
  const anything = async () => {
    throw new Error("a check runs nothing");
  };
  const hasData = request.calib !== null;
  const parts: Omit<CriterionParts, "module" | "source" | "comparer"> = {
    similarity: hasData ? anything : null,
    trial: hasData ? anything : null,
    taylor: taylorOf(engine, null),
    adapter: await adapterOf(engine, request),
    shift: request.general === null ? null : anything,
    searchBudget: request.searchBudget,
  };
  const options = optionsOf(request, layers);
  for (const name of criteriaOf(request)) {
    if (isCriterion(name)) {
      checkCriterion(name, parts);
      // Which blocks are free does not depend on their scores.
      selectSet([...Array(layers).keys()], name === "cosine-span" ? { ...options, shape: "contiguous" } : options);
    } else presetScores(name, layers, request);
    const reason = unusable(name, engine, set, request.shape);
    if (reason === null) continue;
    throw new InputError(
      "nibblemark compress",
      `--criterion ${name}`,
      reason,
      "Use another criterion, another shape or other samples",
    );
  }
}

const optionsOf = (request: CompressRequest, layers: number): SelectOptions => ({
  count: Math.max(1, removedCount(request)),
  shape: request.shape,
  protect: request.prune && "layers" in request.prune ? [] : protectedOf(request, layers),
});

const adapterOf = async ({ platform, model }: Engine, { adapter }: CompressRequest) =>
  adapter === null ? null : { name: adapter, matrices: await readAdapter(platform, adapter, model.config.decoder) };

/** Runs what is asked. @param general the general samples of `activation-shift` @param shared a trial that was opened before @param memo sets that were tried before */
export async function chooseLayers(
  engine: Engine,
  request: CompressRequest,
  set: CalibrationSet | null,
  general: CalibrationSet | null,
  onStage: (stage: string, done: number, total: number) => Promise<void>,
  shared: (() => Promise<Trial>) | null = null,
  memo: TrialMemo | null = null,
): Promise<Scoring> {
  const { prune } = request;
  const { layers } = engine.model.config.decoder;
  const options = optionsOf(request, layers);
  const names = criteriaOf(request);
  const scores: LayerScores[] = [];
  const opened = await openParts(engine, request, set, general, options.count, onStage, shared, memo);
  try {
    for (const [i, name] of names.entries()) {
      await onStage(`scoring by ${name}`, i, names.length);
      scores.push(
        isCriterion(name) ? await criterionScores(name, opened.parts, options) : presetScores(name, layers, request),
      );
    }
  } finally {
    await opened.close();
  }
  const removed = prune && "layers" in prune ? [...prune.layers].sort((a, b) => a - b) : (scores[0]?.removed ?? []);
  return { removed, scores };
}

/** A preset is followed as published: its first entries go, whatever is protected by default; what is protected by name stays. */
function presetScores(name: string, layers: number, request: CompressRequest): LayerScores {
  const order = presetOrder(name, layers);
  const rest = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !order.includes(layer));
  const all = Array.from({ length: layers }, (_, layer) => (order.includes(layer) ? order.indexOf(layer) : null));
  const whole = [...order, ...rest];
  const protect = request.protect === null ? rest : [...new Set([...rest, ...protectedOf(request, layers)])];
  const removed = selectSet(whole, { count: Math.max(1, removedCount(request)), shape: "free", protect });
  return { criterion: name, scores: { all }, order: whole, removed };
}

/** One forward pass for all criteria; expensive results are made once. */
async function openParts(
  engine: Engine,
  request: CompressRequest,
  set: CalibrationSet | null,
  general: CalibrationSet | null,
  span: number,
  onStage: (stage: string, done: number, total: number) => Promise<void>,
  shared: (() => Promise<Trial>) | null,
  memo: TrialMemo | null,
) {
  const source = keptInMemory(engine.source);
  const samples = [...(set?.samples ?? []), ...(general?.samples ?? [])];
  const forward = set ? await engine.forward(source, longestOf(samples)) : null;
  const { layers } = source.config.decoder;
  const onLayer = (stage: string) => (layer: number) => onStage(stage, layer, layers);
  const similarity =
    set && forward
      ? once(async (): Promise<SimilarityScores> => {
          const states = await forward.embed(set.samples);
          return similarityScores(engine.module, forward, set, states, span, onLayer("comparing states"));
        })
      : null;
  const trial =
    shared ??
    (set && forward
      ? once(async (): Promise<Trial> => {
          await onStage("running the whole model", 0, 1);
          const most = Math.max(1, expectedRuns(request, layers));
          const onRun = (runs: number) => onStage("trying sets of blocks", Math.min(runs, most), most);
          return trialOf(engine, source, forward, set, request, { onRun, ...(memo ? { memo } : {}) });
        })
      : null);
  const shift =
    set && general && forward
      ? once(async () => {
          const streams = async ({ samples }: CalibrationSet) => ({ samples, states: await forward.embed(samples) });
          const [own, other] = [await streams(set), await streams(general)];
          return activationShift(engine.module, forward, own, other, onLayer("comparing domains"));
        })
      : null;
  const adapter = await adapterOf(engine, request);
  const parts: CriterionParts = {
    ...{ module: engine.module, source, comparer: engine.comparer, similarity, trial, shift, adapter },
    taylor: taylorOf(engine, set),
    searchBudget: request.searchBudget,
  };
  return { parts, close: async () => forward?.close() };
}

/** What is made at the first call. */
export const once = <T>(make: () => Promise<T>) => {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
};

/** A trial of the source on the request's samples for searches. @param forward stays in use as long as the trial */
export async function trialOf(
  engine: Engine,
  source: WriteSource,
  forward: StreamedForward,
  set: CalibrationSet,
  { searchSamples, ridge }: Pick<CompressRequest, "searchSamples" | "ridge">,
  watched: Pick<TrialParts, "onRun" | "memo"> = {},
): Promise<Trial> {
  const few = { ...set, samples: spread(set.samples, searchSamples ?? set.samples.length) };
  const states = await forward.embed(few.samples);
  const { module, comparer } = engine;
  const parts = { module, comparer, forward, set: few, states, ridge, ...watched };
  return openTrial({ ...parts, config: source.config.decoder, floats: floatsOf(source) }, true);
}
