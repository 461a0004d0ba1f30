// One worker thread of `npm run train`: replicated parameters, its own shards. Worker 0 writes log and checkpoints.

import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { decodeCheckpoint, encodeCheckpoint, type Progress, restore } from "../src/train/checkpoint.js";
import { type ExchangeBuffers, openExchange } from "../src/train/exchange.js";
import { openTrainModule } from "../src/train/kernels.js";
import { freshProgress, type StepRecord, trainLoop } from "../src/train/loop.js";
import { parameterTable } from "../src/train/parameters.js";
import { openState, startValues } from "../src/train/state.js";
import { makeStages, modelConfig, planRecord, type TrainPlan } from "./train-plan.js";

export interface WorkerSetup {
  readonly plan: TrainPlan;
  readonly out: string;
  readonly isResumed: boolean;
  readonly dataDir: string;
  readonly wasm: string;
  readonly worker: number;
  readonly workers: number;
  readonly checkpointSteps: number;
  readonly buffers: ExchangeBuffers;
}

/** What worker 0 tells the command after each step, and at the end. */
export type WorkerMessage =
  | { readonly kind: "step"; readonly record: StepRecord; readonly progress: Progress }
  | { readonly kind: "end"; readonly progress: Progress; readonly isStopped: boolean };

function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}

async function main(setup: WorkerSetup): Promise<void> {
  const path = join(setup.out, "checkpoint.bin");
  const state = openState(await openTrainModule(readFileSync(setup.wasm)), parameterTable(modelConfig));
  let start = freshProgress;
  if (setup.isResumed) {
    const checkpoint = decodeCheckpoint(readFileSync(path), path);
    restore(state, checkpoint, path);
    start = checkpoint.header.progress;
  } else {
    startValues(state, setup.plan.seed);
  }
  const save = (progress: Progress): void => {
    writeWhole(path, encodeCheckpoint(state, modelConfig, planRecord(setup.plan), progress));
  };
  const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);
  const isFirst = setup.worker === 0;
  trainLoop({
    state,
    config: modelConfig,
    stages: makeStages(setup.plan, setup.dataDir),
    exchange: openExchange(setup.buffers),
    worker: setup.worker,
    workers: setup.workers,
    start,
    onStep: (record, progress) => {
      if (!isFirst) return;
      appendFileSync(join(setup.out, "train-log.jsonl"), `${JSON.stringify(record)}\n`);
      if (progress.step % setup.checkpointSteps === 0) save(progress);
      tell({ kind: "step", record, progress });
    },
    onEnd: (progress, isStopped) => {
      if (!isFirst) return;
      save(progress);
      tell({ kind: "end", progress, isStopped });
    },
  });
}

await main(workerData as WorkerSetup);
