// A model of the study with what its cells share: calibration samples, held-out samples, the unpruned model's logits of them.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type PictureSet, readCalibration } from "../../src/cli/compress/calibset.js";
import { type Engine, keptInMemory, longestOf, openEngine } from "../../src/cli/compress/engine.js";
import { evalFolders, loadEvalSet } from "../../src/cli/parts/evalset.js";
import { type CalibrationSample, type CalibrationSet, TOKEN_CLASSES, walk } from "../../src/compress/samples.js";
import { type ClassLoss, type Losses, lossesOf, scored } from "../../src/compress/trial.js";
import type { WriteSource } from "../../src/core/write.js";
import { nodePlatform } from "../../src/platform/node.js";
import type { ModelName } from "./cells.js";

export const SHIPPED = "models/nibblemark-llava-2m";
export const SMOLLM2 = ".cache/gguf/SmolLM2-135M-Instruct.floats.gguf";
/** Questions and windows of text that results are taken over. */
const QUESTIONS = 96;
const [SHIPPED_WINDOWS, SMOL_WINDOWS] = [16, 32];
const LONGEST = 256;

export interface Bed {
  readonly engine: Engine;
  /** The model's path. */
  readonly path: string;
  readonly calibPath: string;
  readonly source: WriteSource;
  readonly calib: PictureSet;
  readonly heldOut: CalibrationSet;
  /** Logits of the held-out positions that are scored, by sample. */
  readonly base: readonly Float32Array[];
  /** Residual streams of the held-out samples before block 0. */
  readonly embedded: readonly Float32Array[];
  close(): Promise<void>;
}

export const pathOf = (model: ModelName): string => (model === "shipped" ? SHIPPED : SMOLLM2);

export async function openBed(model: ModelName, threads: number): Promise<Bed> {
  const platform = nodePlatform();
  const path = pathOf(model);
  const engine = await openEngine(platform, path, { threads, dequantize: true });
  const source = keptInMemory(engine.source);
  const calibPath = model === "shipped" ? join(SHIPPED, "calib", "calib.jsonl") : textCalibration();
  const calib = await readCalibration(platform, calibPath, engine.model, LONGEST);
  const heldOut = await heldOutSet(engine, model === "shipped" ? SHIPPED_WINDOWS : SMOL_WINDOWS);
  const forward = await engine.forward(source, longestOf(heldOut.samples));
  const embedded = await forward.embed(heldOut.samples);
  const states = embedded.slice();
  await walk(forward, states, { taps: [] });
  const base: Float32Array[] = [];
  for (const [i, state] of states.entries()) base.push(await scored({ forward }, heldOut.samples[i], state));
  await forward.close();
  return { engine, path, calibPath, source, calib, heldOut, base, embedded, close: () => engine.close() };
}

/** The shipped calibration set without its questions: what a model that reads text only can use. */
function textCalibration(): string {
  const path = join(".cache", "study", "text-calib.jsonl");
  if (existsSync(path)) return path;
  const lines = readFileSync(join(SHIPPED, "calib", "calib.jsonl"), "utf8").split("\n");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, lines.filter((line) => line.startsWith('{"text"')).join("\n"));
  return path;
}

async function heldOutSet({ platform, model }: Engine, windows: number): Promise<CalibrationSet> {
  const set = await loadEvalSet(platform, model, await evalFolders(platform, model));
  if (!set) throw new Error(`${model.origin} has no tokenizer`);
  const number = (name: (typeof TOKEN_CLASSES)[number]) => TOKEN_CLASSES.indexOf(name);
  const image = model.config.architecture === "llava" ? model.config.imageTokenId : -1;
  const step = Math.max(1, Math.floor(set.questions.length / QUESTIONS));
  const questions = set.questions
    .filter((_, i) => i % step === 0)
    .slice(0, QUESTIONS)
    .map(({ prompt, answer, pixels }): CalibrationSample => {
      const asked = prompt.map((token) => number(token === image ? "image" : "prompt"));
      const classes = Uint8Array.from([...asked, ...answer.map(() => number("answer"))]);
      return { tokens: [...prompt, ...answer], pixels, classes };
    });
  const texts = set.windows.slice(0, windows).map((tokens): CalibrationSample => {
    return { tokens, pixels: null, classes: new Uint8Array(tokens.length).fill(number("text")) };
  });
  return { samples: [...questions, ...texts], hash: "", source: "held-out" };
}

/** Losses of a model on the held-out samples. @param engine of the source, where it is not the bed's own: its embeddings may differ */
export async function evaluate(bed: Bed, source: WriteSource, engine: Engine | null = null): Promise<Losses> {
  const { heldOut, base } = bed;
  const forward = await (engine ?? bed.engine).forward(source, longestOf(heldOut.samples));
  try {
    const states = engine ? await forward.embed(heldOut.samples) : bed.embedded.slice();
    await walk(forward, states, { taps: [] });
    const all: Losses[] = [];
    for (const [i, state] of states.entries()) {
      const sample = heldOut.samples[i];
      const own = await scored({ forward }, sample, state);
      const one = { comparer: bed.engine.comparer, config: source.config.decoder };
      all.push(lossesOf({ ...one, set: { ...heldOut, samples: [sample] } }, [base[i]], [own]));
    }
    return merged(all);
  } finally {
    await forward.close();
  }
}

/** Means over all samples, each token weighing the same within its class. */
function merged(all: readonly Losses[]): Losses {
  const sums = new Map<string, ClassLoss>();
  for (const [name, { tokens, nll, kl }] of all.flatMap((one) => Object.entries(one))) {
    const before = sums.get(name) ?? { tokens: 0, nll: 0, kl: 0 };
    sums.set(name, { tokens: before.tokens + tokens, nll: before.nll + nll * tokens, kl: before.kl + kl * tokens });
  }
  const mean = ({ tokens, nll, kl }: ClassLoss): ClassLoss => ({ tokens, nll: nll / tokens, kl: kl / tokens });
  return Object.fromEntries([...sums].map(([name, sum]) => [name, mean(sum)]));
}
