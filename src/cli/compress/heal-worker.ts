// One worker thread of healing by SFT: replicated parameters, its own shards. Worker 0 evaluates, keeps the best values, writes log and
// checkpoints, and ends the run when the held-out loss stops falling.

import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { spread } from "../../compress/samples.js";
import type { BatchSource } from "../../core/batch.js";
import { attemptSync, nodePlatform } from "../../platform/node.js";
import { decodeCheckpoint, encodeCheckpoint, type Progress, restore } from "../../train/checkpoint.js";
import { type ExchangeBuffers, openExchange, requestStop } from "../../train/exchange.js";
import { type HealMode, healGradient, healRates, healUpdate, openAdapters, type Teacher } from "../../train/healing.js";
import { openTrainModule } from "../../train/kernels.js";
import { freshProgress, type StepRecord, trainLoop } from "../../train/loop.js";
import { type FailureEvent, failureOf } from "../protocol.js";
import type { PictureSample } from "./calibset.js";
import { readCalibration } from "./calibset.js";
import { openEngine } from "./engine.js";
import type { SftOptions } from "./request.js";
import { calibrationBatch, openTrainerIn, type Trainer } from "./trainer.js";

export interface HealSetup {
  /** Folder of the pruned model, of the unpruned one, and where checkpoints go. */
  readonly student: string;
  readonly teacher: string;
  readonly out: string;
  readonly data: string;
  readonly longest: number;
  readonly mode: HealMode;
  readonly options: SftOptions;
  /** Teacher's block of each block of the student. */
  readonly kept: readonly number[];
  readonly worker: number;
  readonly workers: number;
  readonly buffers: ExchangeBuffers;
  readonly dequantize: boolean;
}

export type HealMessage =
  | { readonly kind: "step"; readonly record: StepRecord; readonly heldOut: number | null }
  | { readonly kind: "end"; readonly isStopped: boolean }
  | { readonly kind: "failed"; readonly failure: FailureEvent };

/** The values that are kept so far (best.json beside best.bin): held-out loss there and at the start, and how often none was better since. */
export interface BestValues {
  readonly loss: number;
  readonly start: number;
  readonly step: number;
  readonly misses: number;
}

/** Samples of one shard of a step, and steps between evaluations and checkpoints. */
const SHARD_SAMPLES = 12;
const EVALUATED_STEPS = 20;
const HELD_OUT = 0.1;
const MOST_HELD_OUT = 96;

const writeWhole = (path: string, bytes: Uint8Array | string) =>
  attemptSync(path, () => {
    writeFileSync(`${path}.part`, bytes);
    renameSync(`${path}.part`, path);
  });

/** A deterministic draw: (seed, step, shard) to sample indices. */
function drawIndices(seed: number, step: number, shard: number, count: number, most: number): number[] {
  let state =
    (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b) ^ Math.imul(shard + 1, 0xc2b2ae35)) >>> 0;
  return Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % most;
  });
}

/** Held out are samples from all over the set: questions and texts stand apart in it. */
function split(samples: readonly PictureSample[]) {
  const every = Math.max(2, Math.round(1 / HELD_OUT));
  const heldOut = spread(
    samples.filter((_, i) => i % every === 1),
    MOST_HELD_OUT,
  );
  const isHeldOut = new Set(heldOut);
  return { heldOut, training: samples.filter((sample) => !isHeldOut.has(sample)) };
}

/** Mean loss of a token on the held-out samples, as training weighs it. */
function heldOutLoss(trainer: Trainer, samples: readonly PictureSample[], teacher: Teacher | null): number {
  const sums = healGradient(trainer.state, trainer.model, calibrationBatch(trainer.config, samples), teacher);
  return sums.loss / sums.weight;
}

async function main(setup: HealSetup): Promise<void> {
  const platform = nodePlatform();
  const { options, mode, worker, workers, out, kept } = setup;
  const rank = mode === "lora" ? options.rank : 0;
  const module = await openTrainModule(await platform.wasm("train"));
  const engine = await openEngine(platform, setup.student, { threads: 1, dequantize: false });
  const set = await readCalibration(platform, setup.data, engine.model, setup.longest);
  const { heldOut, training } = split(set.samples);
  const rates = healRates(mode);
  const trainer = await openTrainerIn(module, engine.source, rank, rates.gradient);
  const adapters = mode === "lora" ? openAdapters(trainer.state, 2 * options.rank) : null;
  const teacher = await openTeacher(setup.teacher);
  await engine.close();
  const { state, config } = trainer;
  const plan = { mode, ...options };
  const path = join(out, "checkpoint.bin");
  let start: Progress = freshProgress;
  let best: BestValues = { loss: Number.POSITIVE_INFINITY, start: Number.POSITIVE_INFINITY, step: 0, misses: 0 };
  if (existsSync(path)) {
    const checkpoint = decodeCheckpoint(readFileSync(path), path);
    restore(state, checkpoint, path);
    start = checkpoint.header.progress;
    best = JSON.parse(readFileSync(join(out, "best.json"), "utf8"));
  }
  const source: BatchSource = (step, shard) => {
    const indices = drawIndices(options.seed, step, shard, SHARD_SAMPLES, training.length);
    return calibrationBatch(
      config,
      indices.map((index) => training[index]),
    );
  };
  const tell = (message: HealMessage) => parentPort?.postMessage(message);
  const evaluate = (progress: Progress): number => {
    const loss = heldOutLoss(trainer, heldOut, teacher);
    const { step } = progress;
    const start = step === 0 ? loss : best.start;
    best = loss < best.loss ? { loss, start, step, misses: 0 } : { ...best, misses: best.misses + 1 };
    const bytes = encodeCheckpoint(state, config, plan, progress);
    if (best.misses === 0) writeWhole(join(out, "best.bin"), bytes);
    writeWhole(join(out, "best.json"), JSON.stringify(best));
    writeWhole(path, bytes);
    if (best.misses >= options.patience) requestStop(setup.buffers);
    return loss;
  };
  if (worker === 0 && start.step === 0) evaluate(freshProgress);
  const schedule = {
    peakRate: options.rate,
    warmupSteps: Math.min(20, Math.ceil(options.steps / 10)),
    steps: options.steps,
  };
  trainLoop({
    ...{ state, config, worker, workers, start, exchange: openExchange(setup.buffers) },
    stages: [{ name: "joint", schedule, source, rateOf: rates.gradient }],
    healing: {
      gradient: (model, batch) => healGradient(state, model, batch, teacher),
      update: (weight, rate, step) => healUpdate(state, mode, adapters, weight, rate, step),
    },
    onStep: (record, progress) => {
      if (worker !== 0) return;
      const due = progress.step % EVALUATED_STEPS === 0 || progress.step === options.steps;
      const loss = due ? evaluate(progress) : null;
      const [log, line] = [join(out, "log.jsonl"), `${JSON.stringify({ ...record, heldOut: loss })}\n`];
      attemptSync(log, () => appendFileSync(log, line));
      tell({ kind: "step", record, heldOut: loss });
    },
    onEnd: (_, isStopped) => {
      if (worker === 0) tell({ kind: "end", isStopped });
    },
  });
  parentPort?.close();

  async function openTeacher(folder: string): Promise<Teacher | null> {
    if (options.hiddenWeight === 0 && options.logitWeight === 0) return null;
    const whole = await openEngine(platform, folder, { threads: 1, dequantize: setup.dequantize });
    const taught = await openTrainerIn(module, whole.source, 0, () => 0);
    await whole.close();
    const { hiddenWeight, logitWeight } = options;
    return { state: taught.state, model: taught.model, kept, hiddenWeight, logitWeight };
  }
}

await main(workerData as HealSetup).catch((error: unknown) => {
  parentPort?.postMessage({ kind: "failed", failure: failureOf(error) } satisfies HealMessage);
});
