// `nibblemark compress` inside the coordinator: checks, estimate, then prune, heal, quantize, measure, each kept as soon as it is done.

import { prunedSource } from "../../compress/prune.js";
import { isRounded } from "../../compress/scheme.js";
import type { Losses } from "../../compress/trial.js";
import type { CompressionReport, StageReport } from "../../core/compression.js";
import { shapeName } from "../../core/config.js";
import { InputError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { Control } from "../../run/parts.js";
import type { PictureSet } from "../compress/calibset.js";
import { type Engine, openEngine } from "../compress/engine.js";
import { durationText, estimate } from "../compress/estimate.js";
import { blindWarnings, blockFindings, criteriaReports, idleHealing } from "../compress/findings.js";
import { openJournal } from "../compress/journal.js";
import { measureStages, type Place } from "../compress/measure.js";
import { filePrint, modelPrint } from "../compress/prints.js";
import type { OnStage } from "../compress/quantizing.js";
import { checkReady, setReader } from "../compress/ready.js";
import { type CompressRequest, checkPlace, criteriaOf, describe, removedCount } from "../compress/request.js";
import { chooseLayers, type Scoring } from "../compress/scoring.js";
import { healStages, OWN, quantizeStage, type Work, writeStage } from "../compress/stages.js";
import type { FinalEvent } from "../protocol.js";

/** Longest SFT that needs no --yes. */
const MOST_SFT_SECONDS = 24 * 3600;

/** Thrown between steps when the user asks to stop: the work so far stays. */
class Stopped extends Error {}

/** @param say a line for the user */
export async function compressWork(
  platform: Platform,
  request: CompressRequest,
  control: Control,
  say: (line: string) => void,
): Promise<FinalEvent> {
  const begun = performance.now();
  await checkPlace(request);
  const engine = await openEngine(platform, request.input, request);
  try {
    const work = await prepare(platform, engine, request, control, say);
    let failure: unknown;
    try {
      return { kind: "compressed", report: await run(work, control, begun) };
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      await work.journal.leave(failure);
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    say("stopped; the same command goes on from here");
    return { kind: "compressed", report: null };
  } finally {
    await engine.close();
  }
}

/** All that can fail fails here, before any long work. */
async function prepare(
  platform: Platform,
  engine: Engine,
  asked: CompressRequest,
  control: Control,
  say: (line: string) => void,
): Promise<Work> {
  const { request, calib, general, heal, warnings } = await checkReady(engine, asked, setReader(platform, engine));
  const tokens = (set: PictureSet | null) => set?.samples.reduce((sum, sample) => sum + sample.tokens.length, 0) ?? 0;
  const samples = (heal ?? calib)?.samples ?? [];
  const found = estimate(
    engine,
    request,
    tokens(calib),
    samples.length > 0 ? (24 * tokens(heal ?? calib)) / samples.length : 0,
  );
  const parts = found.stages.map(({ stage, seconds }) => `${stage} ${durationText(seconds)}`);
  say(`${describe(request)}`);
  say(`estimated time: ${durationText(found.seconds)} (${parts.join(", ") || "copying only"}), without measuring`);
  if (found.sftSeconds > MOST_SFT_SECONDS && !request.yes) {
    const problem = `sft is estimated to take ${durationText(found.sftSeconds)}`;
    throw new InputError("nibblemark compress", "--heal", problem, "Give --yes to go on, or heal by replaceme");
  }
  for (const warning of warnings) say(`warning: ${warning}`);
  const journal = await openJournal(
    platform,
    request,
    await printsOf(platform, engine, request, [calib, general, heal]),
  );
  if (journal.resumed) say("going on with the work of an earlier call");
  const onStage: OnStage = async (stage, done, total) => {
    control.progress({ stage, done, total });
    if (await control.stopped()) throw new Stopped();
  };
  return { engine, request, journal, calib, general, warnings, onStage, say };
}

/** Hashes of everything that is read: the same words mean the same work only with the same data. */
async function printsOf(
  platform: Platform,
  { model }: Engine,
  { input, adapter }: CompressRequest,
  sets: readonly (PictureSet | null)[],
): Promise<string[]> {
  const files = adapter === null ? [] : ["adapter_config.json", "adapter_model.safetensors"];
  const adapters = await Promise.all(files.map((name) => filePrint(platform, `${adapter}/${name}`, true)));
  return [await modelPrint(platform, model, input, true), ...sets.map((set) => set?.print ?? ""), ...adapters];
}

async function run(work: Work, control: Control, begun: number): Promise<CompressionReport> {
  const { engine, request, journal, calib, general, onStage } = work;
  const scoring = await journal.once("scoring", async (): Promise<Scoring> => {
    const idle = criteriaOf(request).length === 0 && removedCount(request) === 0;
    if (idle) return { removed: [], scores: [] };
    const memo = await journal.lines<Losses>("trials");
    return chooseLayers(engine, request, calib, general, onStage, null, memo);
  });
  if (scoring.removed.length > 0) work.say(`removing blocks ${scoring.removed.join(", ")}`);
  const places: Place[] = [{ stage: "original", path: request.input }];
  let source = engine.source;
  let healed: CompressionReport["heal"] = { runs: [], sft: null, log: [] };
  if (scoring.removed.length > 0) {
    source = prunedSource(engine.source, scoring.removed);
    places.push({ stage: "pruned", path: await writeStage(work, "pruned", source, scoring, OWN) });
    if (request.heal.length > 0) healed = await healStages(work, scoring, places);
  } else if (request.heal.length > 0) healed = await healStages(work, scoring, places);
  const last = places[places.length - 1];
  const made = await quantizeStage(work, scoring, last);
  if (isRounded(request.plan) || places.length === 1) places.push({ stage: "quantized", path: made });
  if (request.kv === "int8") places.push({ stage: "int8 KV", path: made, kv: "int8" });
  const stages = request.unmeasured
    ? []
    : await journal.once("stages", (): Promise<StageReport[]> => {
        return measureStages(engine.platform, places, engine.threads, control);
      });
  const found = [...blindWarnings(stages), ...idleHealing(healed)];
  for (const warning of found) work.say(`warning: ${warning}`);
  const findings = await blockFindings(work);
  await journal.finish(made);
  return {
    schemaVersion: 1,
    ...{ input: request.input, output: request.output, plan: describe(request), removed: scoring.removed, stages },
    shape: shapeName(engine.model.config),
    decoder: {
      ...{ bits: request.plan.decoder?.bits ?? null, group: request.plan.decoder?.group ?? 0 },
      meanBits: request.plan.meanBits,
    },
    kv: request.kv ?? "f32",
    criteria: criteriaReports(scoring),
    heal: healed,
    ...findings,
    seconds: (performance.now() - begun) / 1000,
    peakBytes: engine.platform.peakMemoryBytes(),
    warnings: [...work.warnings, ...found],
  };
}
