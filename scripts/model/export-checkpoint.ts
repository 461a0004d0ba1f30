// Turns the trainer's checkpoint into the shipped model and records what training took:
// `node build/scripts/model/export-checkpoint.js [--checkpoint FILE] [--out FOLDER] [--seconds S] [--workers N]`.
// The seconds are those that `npm run train` printed (added up over resumed calls).

import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InputError } from "../../src/core/errors.js";
import { type Checkpoint, type CheckpointHeader, decodeCheckpoint } from "../../src/train/checkpoint.js";
import { parameterTable } from "../../src/train/parameters.js";
import { exportModel, type Parameters } from "./export.js";
import { addFacts, type TrainingFacts } from "./facts.js";
import { dataSources } from "./sources.js";
import { modelFolder } from "./tokenizer.js";

/** The parameters that ship, by name; the heads of pre-training are left behind. */
function shippedParameters({ header, values }: Checkpoint): Parameters {
  const shipped = parameterTable(header.config).parameters.filter(({ name }) => !name.startsWith("pretraining."));
  const places = new Map(header.parameters.map(([name, offset]) => [name, offset]));
  return new Map(
    shipped.map(({ name, shape, count }) => {
      const offset = places.get(name) ?? values.length;
      return [name, { shape, values: values.subarray(offset, offset + count) }];
    }),
  );
}

function provenance({ plan, progress }: CheckpointHeader): Record<string, string> {
  const data = dataSources.map(({ origin, sha256 }) => [`data ${origin}`, `sha256 ${sha256}`]);
  return {
    generator: "nibblemark npm run train",
    plan: JSON.stringify(plan),
    positions: `${progress.positions}`,
    visionRows: `${progress.visionRows}`,
    ...Object.fromEntries(data),
  };
}

function trainingFacts(header: CheckpointHeader, wallSeconds: number, threads: number): TrainingFacts {
  const { plan, progress } = header;
  return {
    seed: Number(plan.seed),
    visionSteps: Number(plan.visionSteps),
    steps: Number(plan.jointSteps),
    positions: progress.positions,
    visionRows: progress.visionRows,
    flop: progress.decoderFlop + progress.visionFlop,
    wallSeconds,
    threads,
    cpu: cpus()[0]?.model ?? "an unnamed processor",
  };
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (Number(text) > 0) return Number(text);
  throw new InputError(`--${name}`, "", `is ${text}, not a number above 0`, `For example --${name} 2.`);
}

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { checkpoint: text, out: text, seconds: text, workers: text } });
  const path = values.checkpoint ?? join(".cache", "train", "checkpoint.bin");
  const folder = values.out ?? modelFolder;
  if (!existsSync(path)) throw new InputError(path, "", "does not exist", "Run `npm run train` first.");
  const checkpoint = decodeCheckpoint(readFileSync(path), path);
  const { plan, progress } = checkpoint.header;
  if (progress.stage < 2) {
    process.stderr.write(`warning: the run is not finished (stage ${progress.stage}, step ${progress.step})\n`);
  }
  mkdirSync(folder, { recursive: true });
  const sha256 = await exportModel(shippedParameters(checkpoint), folder, provenance(checkpoint.header), path);
  if (folder !== modelFolder) {
    for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
      copyFileSync(join(modelFolder, file), join(folder, file));
    }
  }
  const seconds = number("seconds", values.seconds);
  const workers = number("workers", values.workers) ?? Number(plan.shards);
  if (seconds) addFacts(folder, { training: trainingFacts(checkpoint.header, seconds, workers) });
  process.stderr.write(`exported ${folder}/model.safetensors, sha256 ${sha256}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
