// The training loop that every worker runs: gradients of its own shards, exchange, the same update everywhere.
// The number of shards is fixed, so the number of workers does not change a single bit.

import type { BatchSource, TrainBatch } from "../core/batch.js";
import type { Progress } from "./checkpoint.js";
import type { Exchange } from "./exchange.js";
import { jointGradient } from "./joint.js";
import { openModel, type ShardSums, type TrainModel } from "./model.js";
import { updateParameters } from "./optimizer.js";
import { countParameters, type LlavaConfig } from "./parameters.js";
import { visionGradient } from "./pretraining.js";
import { learningRate, type Schedule } from "./schedule.js";
import { type RateOf, type TrainState, zeroMoments } from "./state.js";

export interface Stage {
  readonly name: "vision" | "joint";
  readonly schedule: Schedule;
  readonly source: BatchSource;
  readonly rateOf: RateOf;
}

/** One line of the log: a pure function of seed and plan, hence without times. */
export interface StepRecord {
  readonly stage: Stage["name"];
  readonly step: number;
  readonly loss: number;
  readonly textLoss: number | null;
  readonly answerLoss: number | null;
  /** Share of answer tokens (stage "vision": labels) that the model predicts, each given the true tokens before it. */
  readonly answerAccuracy: number | null;
  readonly gradNorm: number;
  readonly rate: number;
  readonly positions: number;
}

export interface LoopSetup {
  readonly state: TrainState;
  readonly config: LlavaConfig;
  readonly stages: readonly Stage[];
  readonly exchange: Exchange;
  readonly worker: number;
  readonly workers: number;
  readonly start: Progress;
  /** Another gradient and update than plain training's (healing.ts). */
  readonly healing?: {
    gradient(model: TrainModel, batch: TrainBatch): ShardSums;
    /** The norm of the gradient. */
    update(totalWeight: number, rate: number, step: number): number;
  };
  /** Called after each update by every worker. */
  readonly onStep: (record: StepRecord, progress: Progress) => void;
  /** Called when the loop ends or is stopped. */
  readonly onEnd: (progress: Progress, isStopped: boolean) => void;
}

export const freshProgress: Progress = {
  stage: 0,
  step: 0,
  positions: 0,
  visionRows: 0,
  decoderFlop: 0,
  visionFlop: 0,
};

function shardGradient(setup: LoopSetup, stage: Stage, model: TrainModel, step: number, shard: number): ShardSums {
  const batch = stage.source(step, shard);
  if (setup.healing) return setup.healing.gradient(model, batch);
  return stage.name === "joint" ? jointGradient(setup.state, model, batch) : visionGradient(setup.state, model, batch);
}

/** Leaves the sum of all shards' gradients, added in their order, in state.gradients. */
function sumShards({ state, exchange }: LoopSetup, turn: number): void {
  const { arena, kernels, table } = state;
  const mark = arena.mark();
  const next = arena.alloc(table.floats);
  arena.floats(state.gradients, table.floats).set(exchange.gradients(turn, 0));
  for (let shard = 1; shard < exchange.shards; shard++) {
    arena.floats(next, table.floats).set(exchange.gradients(turn, shard));
    kernels.add(state.gradients, next, table.floats);
  }
  arena.release(mark);
}

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

function record(stage: Stage, step: number, totals: ShardSums, gradNorm: number, rate: number): StepRecord {
  return {
    stage: stage.name,
    step,
    loss: totals.loss / totals.weight,
    textLoss: ratio(totals.textLoss, totals.textWeight),
    answerLoss: ratio(totals.answerLoss, totals.answerWeight),
    answerAccuracy: ratio(totals.answerHits, totals.answerWeight),
    gradNorm,
    rate,
    positions: totals.positions,
  };
}

function advance(setup: LoopSetup, progress: Progress, totals: ShardSums): Progress {
  const { table } = setup.state;
  const towerSize = countParameters(table, ["vision_tower.", "multi_modal_projector.", "pretraining."]);
  return {
    stage: progress.stage,
    step: progress.step + 1,
    positions: progress.positions + totals.positions,
    visionRows: progress.visionRows + totals.visionRows,
    decoderFlop: progress.decoderFlop + 6 * countParameters(table, ["language_model."]) * totals.positions,
    visionFlop: progress.visionFlop + 6 * towerSize * totals.visionRows,
  };
}

function trainStep(setup: LoopSetup, stage: Stage, model: TrainModel, progress: Progress): [StepRecord, Progress] {
  const { state, exchange, worker, workers } = setup;
  const { step } = progress;
  for (let shard = worker; shard < exchange.shards; shard += workers) {
    const sums = shardGradient(setup, stage, model, step, shard);
    exchange.putShard(step, shard, state.arena.floats(state.gradients, state.table.floats), sums);
  }
  if (worker === 0) exchange.settleStop(step);
  exchange.barrier(workers);
  const totals = exchange.totals(step);
  sumShards(setup, step);
  const rate = learningRate(stage.schedule, step);
  const norm =
    setup.healing?.update(totals.weight, rate, step + 1) ??
    updateParameters(state, stage.rateOf, totals.weight, rate, step + 1);
  return [record(stage, step, totals, norm, rate), advance(setup, progress, totals)];
}

/** Trains from `setup.start` to the end of the last stage, or until a stop is requested. */
export function trainLoop(setup: LoopSetup): void {
  let progress = setup.start;
  while (progress.stage < setup.stages.length) {
    const stage = setup.stages[progress.stage];
    const mark = setup.state.arena.mark();
    const model = openModel(setup.state, setup.config, stage.rateOf);
    while (progress.step < stage.schedule.steps) {
      const turn = progress.step;
      const [line, next] = trainStep(setup, stage, model, progress);
      progress = next;
      setup.onStep(line, progress);
      if (setup.exchange.isStopping(turn)) {
        setup.onEnd(progress, true);
        return;
      }
    }
    setup.state.arena.release(mark);
    zeroMoments(setup.state);
    progress = { ...progress, stage: progress.stage + 1, step: 0 };
    // Slots alternate by step; the next stage starts at slot 0 again, which a slower worker may still be reading.
    setup.exchange.barrier(setup.workers);
  }
  setup.onEnd(progress, false);
}
