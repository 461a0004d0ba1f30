// `npm run train`: trains the shipped model from its data. Continues with --resume; Ctrl-C saves a checkpoint and leaves.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { InputError } from "../src/core/errors.js";
import { decodeCheckpoint, type Progress } from "../src/train/checkpoint.js";
import { makeExchangeBuffers, requestStop } from "../src/train/exchange.js";
import { parameterTable } from "../src/train/parameters.js";
import { ensureData } from "./model/fetch.js";
import { defaultPlan, modelConfig, planRecord, shardCount, type TrainPlan } from "./train-plan.js";
import { makeProgressBar } from "./train-progress.js";
import type { WorkerMessage, WorkerSetup } from "./train-worker.js";

interface Options {
  readonly plan: TrainPlan;
  readonly out: string;
  readonly isResumed: boolean;
  readonly workers: number;
  readonly checkpointSteps: number;
}

function readOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const options = {
    out: text,
    resume: { type: "boolean" },
    seed: text,
    workers: text,
    "steps-vision": text,
    "steps-joint": text,
    "checkpoint-steps": text,
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const whole = (
    name: "seed" | "workers" | "steps-vision" | "steps-joint" | "checkpoint-steps",
    fallback: number,
    least: number,
  ): number => {
    const value = values[name] === undefined ? fallback : Number(values[name]);
    if (!Number.isInteger(value) || value < least) {
      throw new InputError(`--${name}`, "", `must be a whole number of at least ${least}`, "For example --seed 1.");
    }
    return value;
  };
  return {
    plan: {
      seed: whole("seed", defaultPlan.seed, 0),
      visionSteps: whole("steps-vision", defaultPlan.visionSteps, 0),
      jointSteps: whole("steps-joint", defaultPlan.jointSteps, 0),
    },
    out: values.out ?? join(".cache", "train"),
    isResumed: values.resume ?? false,
    workers: Math.min(shardCount, whole("workers", shardCount, 1)),
    checkpointSteps: whole("checkpoint-steps", 100, 1),
  };
}

/** A resumed run continues its log from the checkpoint's step; a fresh one starts an empty log. */
function prepareFolder({ out, isResumed, plan }: Options): void {
  const [log, path] = [join(out, "train-log.jsonl"), join(out, "checkpoint.bin")];
  mkdirSync(out, { recursive: true });
  if (!isResumed) {
    rmSync(log, { force: true });
    return;
  }
  if (!existsSync(path)) throw new InputError(path, "", "does not exist", "Leave out --resume to start anew.");
  const { header } = decodeCheckpoint(readFileSync(path), path);
  if (JSON.stringify(header.plan) !== JSON.stringify(planRecord(plan))) {
    throw new InputError(
      path,
      "plan",
      `was ${JSON.stringify(header.plan)}`,
      "Give the same --seed, --steps-vision and --steps-joint.",
    );
  }
  const { stage, step } = header.progress;
  const done = (stage > 0 ? plan.visionSteps : 0) + (stage > 1 ? plan.jointSteps : step);
  const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, done) : [];
  writeFileSync(log, lines.map((line) => `${line}\n`).join(""));
}

function summarize(progress: Progress, seconds: number): string {
  const { positions, decoderFlop, visionRows, visionFlop } = progress;
  const tera = (flop: number): string => (flop / 1e12).toFixed(2);
  return `${positions} decoder positions (${tera(decoderFlop)} TFLOP), ${visionRows} vision rows (${tera(visionFlop)} TFLOP), this call ${seconds.toFixed(0)} s`;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  prepareFolder(options);
  const dataDir = ensureData();
  const buffers = makeExchangeBuffers(shardCount, parameterTable(modelConfig).floats);
  const begun = performance.now();
  const bar = makeProgressBar(options.plan, process.stderr);
  const stop = (): void => requestStop(buffers);
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const ends = Array.from({ length: options.workers }, (_, worker) => {
    const setup: WorkerSetup = { ...options, dataDir, wasm: join("build", "train.wasm"), worker, buffers };
    const thread = new Worker(new URL("./train-worker.js", import.meta.url), { workerData: setup });
    thread.on("message", (message: WorkerMessage) => {
      if (message.kind === "step") return bar.show(message.record, message.progress);
      bar.end();
      const text = summarize(message.progress, (performance.now() - begun) / 1000);
      process.stderr.write(`${message.isStopped ? "stopped; continue with --resume" : "done"}: ${text}\n`);
    });
    return new Promise<void>((resolve, reject) => {
      thread.on("error", reject);
      thread.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`worker ${worker} ended with ${code}`))));
    });
  });
  await Promise.all(ends);
}

/** parseArgs throws TypeErrors of its own for flags it does not know. */
const isBadInput = (error: unknown): boolean =>
  error instanceof InputError ||
  (error instanceof TypeError && `${(error as NodeJS.ErrnoException).code}`.startsWith("ERR_PARSE_ARGS"));

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(isBadInput(error) ? 2 : 1);
}
