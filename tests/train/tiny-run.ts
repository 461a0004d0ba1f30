// Runs a few steps of both stages on the tiny model, in this thread, or as one worker of several when started as a thread.

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { decodeCheckpoint, encodeCheckpoint, restore } from "../../src/train/checkpoint.js";
import { type ExchangeBuffers, makeExchangeBuffers, openExchange, requestStop } from "../../src/train/exchange.js";
import { freshProgress, type Stage, type StepRecord, trainLoop } from "../../src/train/loop.js";
import { parameterTable } from "../../src/train/parameters.js";
import { jointStageRates, visionStageRates } from "../../src/train/rates.js";
import { tinyBatch, tinyConfig, tinyState } from "./tiny.js";

export interface TinyRun {
  readonly records: readonly StepRecord[];
  /** Encoded checkpoint at the end. */
  readonly checkpoint: Uint8Array;
  readonly isStopped: boolean;
}

interface TinySetup {
  readonly buffers: ExchangeBuffers;
  readonly worker: number;
  readonly workers: number;
  readonly resume?: Uint8Array;
  /** Ask to stop during this update of the run (counted from 1 over both stages). */
  readonly stopAfter?: number;
}

const shards = 2;

function stages(): Stage[] {
  const schedule = { peakRate: 1e-2, warmupSteps: 2, steps: 5 };
  const source = (step: number, shard: number) => tinyBatch(100 * step + shard);
  return [
    { name: "vision", schedule, source, rateOf: visionStageRates },
    { name: "joint", schedule, source, rateOf: jointStageRates },
  ];
}

async function runHere(setup: TinySetup): Promise<TinyRun> {
  const state = await tinyState(1);
  const records: StepRecord[] = [];
  let start = freshProgress;
  if (setup.resume) {
    const checkpoint = decodeCheckpoint(setup.resume, "test");
    restore(state, checkpoint, "test");
    start = checkpoint.header.progress;
  }
  let result: TinyRun | undefined;
  trainLoop({
    ...setup,
    state,
    config: tinyConfig,
    stages: stages(),
    exchange: openExchange(setup.buffers),
    start,
    onStep: (record) => {
      records.push(record);
      if (records.length + 1 === setup.stopAfter) requestStop(setup.buffers);
    },
    onEnd: (progress, isStopped) => {
      result = { records, checkpoint: encodeCheckpoint(state, tinyConfig, {}, progress), isStopped };
    },
  });
  if (!result) throw new Error("the loop did not call onEnd");
  return result;
}

/** One worker, in this thread. */
export function runSingle(options: Pick<TinySetup, "resume" | "stopAfter"> = {}): Promise<TinyRun> {
  const buffers = makeExchangeBuffers(shards, parameterTable(tinyConfig).floats);
  return runHere({ ...options, buffers, worker: 0, workers: 1 });
}

/** Two worker threads; the results of both. */
export function runPair(): Promise<TinyRun[]> {
  const buffers = makeExchangeBuffers(shards, parameterTable(tinyConfig).floats);
  const one = (worker: number): Promise<TinyRun> =>
    new Promise((resolve, reject) => {
      const setup: TinySetup = { buffers, worker, workers: 2 };
      const thread = new Worker(new URL(import.meta.url), { workerData: setup });
      thread.once("message", resolve).once("error", reject);
    });
  return Promise.all([one(0), one(1)]);
}

if (!isMainThread) parentPort?.postMessage(await runHere(workerData as TinySetup));
