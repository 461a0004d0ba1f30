// The healing stages: ReplaceMe folded into the source before it is pruned, and SFT by worker threads over a pruned model on disk.

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type HealedRun, replaceMe } from "../../compress/replaceme.js";
import type { CalibrationSet } from "../../compress/samples.js";
import { InputError } from "../../core/errors.js";
import type { WriteSource } from "../../core/write.js";
import { attempt } from "../../platform/node.js";
import { decodeCheckpoint } from "../../train/checkpoint.js";
import { makeExchangeBuffers } from "../../train/exchange.js";
import type { HealMode } from "../../train/healing.js";
import type { StepRecord } from "../../train/loop.js";
import { parameterTable } from "../../train/parameters.js";
import { errorOf } from "../protocol.js";
import { type Engine, floatsOf, keptInMemory, longestOf, withValues } from "./engine.js";
import type { BestValues, HealMessage, HealSetup } from "./heal-worker.js";
import type { OnStage } from "./quantizing.js";
import type { CompressRequest, Healer } from "./request.js";
import { asLlava } from "./trainable.js";
import { canonicalOf, isStored } from "./trainer.js";

/** The unpruned model with ReplaceMe's maps in it. */
export async function replaceMeSource(
  engine: Engine,
  removed: readonly number[],
  request: CompressRequest,
  set: CalibrationSet | null,
  onStage: OnStage,
): Promise<{ readonly source: WriteSource; readonly runs: readonly HealedRun[] }> {
  if (!set) {
    throw new InputError("nibblemark compress", "--heal", "replaceme needs calibration data", "Give --calib FILE");
  }
  const source = keptInMemory(engine.source);
  const forward = await engine.forward(source, longestOf(set.samples));
  try {
    const config = source.config.decoder;
    const states = await forward.embed(set.samples);
    const form = request.heal.includes("replaceme-cosine") ? "cosine" : "least-squares";
    const { changed, runs } = await replaceMe(
      {
        ...{ module: engine.module, config, floats: floatsOf(source), forward, states },
        onLayer: (layer) => onStage("healing by replaceme", layer, config.layers),
      },
      removed,
      { form, ridge: request.ridge },
    );
    return { source: withValues(source, changed), runs };
  } finally {
    await forward.close();
  }
}

export const modeOf = (healer: Healer): HealMode =>
  healer === "sft-lora" ? "lora" : healer === "sft-projector" ? "projector" : "full";

/** One line of the healing log. */
export interface HealRecord extends StepRecord {
  /** Loss on held-out samples, where it was evaluated after this step. */
  readonly heldOut: number | null;
}

export interface SftWork {
  readonly student: string;
  readonly teacher: string;
  /** Checkpoints and log; goes on where it was. */
  readonly folder: string;
  readonly data: string;
  readonly kept: readonly number[];
  readonly mode: HealMode;
}

export interface TrainedValues {
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly log: readonly HealRecord[];
  readonly best: Pick<BestValues, "loss" | "start" | "step">;
}

/** Trains, and gives the best values by canonical name with the log. Ends early when `stopped` says so. */
export async function sftValues(
  engine: Engine,
  student: WriteSource,
  work: SftWork,
  request: CompressRequest,
  onStep: (record: HealRecord, steps: number) => void,
): Promise<TrainedValues> {
  await attempt(work.folder, () => mkdir(work.folder, { recursive: true }));
  const config = asLlava(student.config);
  const table = parameterTable(config, work.mode === "lora" ? request.sft.rank : 0);
  const shards = 2;
  const buffers = makeExchangeBuffers(shards, table.floats);
  const workers = Math.min(shards, Math.max(1, engine.threads));
  const threads: Worker[] = [];
  const runs = Array.from({ length: workers }, (_, worker) => {
    const { folder: out, ...rest } = work;
    const { sft: options, longest, dequantize } = request;
    const setup: HealSetup = { ...rest, out, options, longest, worker, workers, buffers, dequantize };
    const thread = new Worker(new URL("./heal-worker.js", import.meta.url), { workerData: setup });
    threads.push(thread);
    return new Promise<void>((resolve, reject) => {
      thread.on("message", (message: HealMessage) => {
        if (message.kind === "step") onStep({ ...message.record, heldOut: message.heldOut }, request.sft.steps);
        if (message.kind === "failed") reject(errorOf(message.failure));
      });
      thread.on("error", reject);
      thread.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a healing thread ended with ${code}`))));
    });
  });
  try {
    await Promise.all(runs);
  } finally {
    // Where one failed, the other waits for it.
    for (const thread of threads) await thread.terminate();
  }
  const best = decodeCheckpoint(await readFile(join(work.folder, "best.bin")), "best.bin");
  const values = new Map(
    best.header.parameters
      .filter(([name]) => isStored(name))
      .map(([name, offset, count]) => [canonicalOf(name), best.values.subarray(offset, offset + count)] as const),
  );
  const { loss, start, step } = JSON.parse(await readFile(join(work.folder, "best.json"), "utf8")) as BestValues;
  return { values, log: await readLog(join(work.folder, "log.jsonl")), best: { loss, start, step } };
}

/** The log of all calls; a step that was repeated after a kill counts once. */
async function readLog(path: string): Promise<HealRecord[]> {
  const lines = (await readFile(path, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  const records = lines.map((line) => JSON.parse(line) as HealRecord);
  return [...new Map(records.map((record) => [record.step, record])).values()].sort((a, b) => a.step - b.step);
}
