// A model of the study with what its cells share: calibration samples, held-out samples, the unpruned model's logits of them.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { knowsInstructions } from "../../src/backends/wasm/support.js";
import { type PictureSet, readCalibration } from "../../src/cli/compress/calibset.js";
import { type Engine, floatsOf, keptInMemory, longestOf, openEngine } from "../../src/cli/compress/engine.js";
import type { CompressRequest } from "../../src/cli/compress/request.js";
import { once, trialOf } from "../../src/cli/compress/scoring.js";
import { evalFolders, loadEvalSet } from "../../src/cli/parts/evalset.js";
import { type CalibrationSample, type CalibrationSet, TOKEN_CLASSES, walk } from "../../src/compress/samples.js";
import {
  type ClassLoss,
  type Kept,
  keepActivations,
  type Losses,
  lossesOf,
  scored,
  type Trial,
} from "../../src/compress/trial.js";
import type { StreamedForward } from "../../src/core/layers.js";
import type { WriteSource } from "../../src/core/write.js";
import { nodePlatform } from "../../src/platform/node.js";
import type { ModelName } from "./cells.js";

/** The unpruned model's first blocks under one scheme, as far as any cell has come. */
export interface Rounding {
  /** [block]: its rounded tensors by name. */
  readonly blocks: ReadonlyMap<string, Float32Array>[];
  /** [block][sample]: residual streams of the calibration samples before each block. */
  readonly calib: Float32Array[][];
  /** The same of the held-out samples; `evaluate` fills it. */
  readonly heldOut: Float32Array[][];
}

export const SHIPPED = "models/nibblemark-llava-2m";
export const SMOLLM2 = ".cache/gguf/SmolLM2-135M-Instruct.floats.gguf";
/** Questions and windows of text that results are taken over. */
const QUESTIONS = 96;
const [SHIPPED_WINDOWS, SMOL_WINDOWS] = [16, 32];
const LONGEST = 256;

export interface Bed {
  readonly name: ModelName;
  readonly engine: Engine;
  /** The model's path. */
  readonly path: string;
  readonly calibPath: string;
  readonly source: WriteSource;
  readonly calib: PictureSet;
  readonly heldOut: CalibrationSet;
  /** The unpruned model on the held-out samples, run at the first call. */
  base(): Promise<Base>;
  /** The unpruned model on the calibration samples with all that ReplaceMe needs, run at the first call. */
  calibrated(): Promise<Kept>;
  /** Tensors of the unpruned model that ReplaceMe changed, by its form and the blocks that left. */
  readonly healings: Map<string, ReadonlyMap<string, Float32Array>>;
  /** What cells of one scheme share, by its name. */
  readonly roundings: Map<string, Rounding>;
  /** Trials of removals, opened at the first call: all criteria share what was run. */
  trial(request: CompressRequest): Promise<Trial>;
  close(): Promise<void>;
}

export interface Base {
  /** Logits of the positions that are scored, by sample. */
  readonly logits: readonly Float32Array[];
  /** [layer][sample]: residual streams before each block, and after the last. */
  readonly states: readonly (readonly Float32Array[])[];
}

export const pathOf = (model: ModelName): string => (model === "shipped" ? SHIPPED : SMOLLM2);

export async function openBed(model: ModelName, threads: number): Promise<Bed> {
  const platform = nodePlatform();
  const path = pathOf(model);
  const opened = await openEngine(platform, path, { threads, dequantize: true, variant: fastestVariant() });
  const source = keptInMemory(opened.source);
  const engine = { ...opened, source };
  const calibPath = model === "shipped" ? join(SHIPPED, "calib", "calib.jsonl") : textCalibration();
  const calib = await readCalibration(platform, calibPath, engine.model, LONGEST);
  const heldOut = await heldOutSet(engine, model === "shipped" ? SHIPPED_WINDOWS : SMOL_WINDOWS);
  const kept = async (set: CalibrationSet, healing: boolean) => {
    const forward = await engine.forward(source, longestOf(set.samples));
    const parts = { forward, floats: floatsOf(source), states: await forward.embed(set.samples) };
    return { forward, activations: await keepActivations(parts, healing) };
  };
  const base = once(async (): Promise<Base> => {
    const { forward, activations } = await kept(heldOut, false);
    const logits: Float32Array[] = [];
    for (const [i, state] of activations.states[forward.layers].entries()) {
      logits.push(await scored({ forward }, heldOut.samples[i], state));
    }
    await forward.close();
    return { logits, states: activations.states };
  });
  const calibrated = once(async () => {
    const { forward, activations } = await kept(calib, true);
    await forward.close();
    return activations;
  });
  let tried: { readonly forward: StreamedForward; readonly trial: Promise<Trial> } | null = null;
  return {
    ...{ name: model, engine, path, calibPath, source, calib, heldOut, base, calibrated },
    ...{ healings: new Map(), roundings: new Map() },
    async trial(request) {
      if (!tried) {
        const run = await engine.forward(source, longestOf(calib.samples));
        tried = { forward: run, trial: trialOf(engine, source, run, calib, request) };
      }
      return tried.trial;
    },
    async close() {
      await tried?.forward.close();
      await engine.close();
    },
  };
}

/** Relaxed SIMD rounds a product and its sum once: twice as fast, and the base is computed alike. */
export const fastestVariant = () => (knowsInstructions("relaxed") ? "relaxed" : "simd");

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

/** How a source differs from the bed's own. */
export interface Change {
  /** Blocks from the first one on that are the bed's own, or its own under `rounding`: they are run once. */
  readonly untouched: number;
  readonly rounding: Rounding | null;
  /** The source's engine where it is not the bed's: its embeddings may differ, nothing is untouched then. */
  readonly engine: Engine | null;
}

/** Losses of a model on the held-out samples. */
export async function evaluate(bed: Bed, source: WriteSource, change: Change): Promise<Losses> {
  const { heldOut } = bed;
  const { engine, untouched } = change;
  const base = await bed.base();
  const forward = await (engine ?? bed.engine).forward(source, longestOf(heldOut.samples));
  try {
    const known = engine ? [await forward.embed(heldOut.samples)] : statesOf(base, change.rounding);
    const from = Math.min(untouched, known.length - 1, forward.layers);
    const states = known[from].slice();
    const layers = Array.from({ length: forward.layers - from }, (_, i) => from + i);
    await walk(forward, states, {
      ...{ taps: [], layers },
      afterLayer(layer, after) {
        if (layer < untouched && layer + 1 === known.length) known.push(after.slice());
      },
    });
    const all: Losses[] = [];
    for (const [i, state] of states.entries()) {
      const sample = heldOut.samples[i];
      const own = await scored({ forward }, sample, state);
      const one = { comparer: bed.engine.comparer, config: source.config.decoder };
      all.push(lossesOf({ ...one, set: { ...heldOut, samples: [sample] } }, [base.logits[i]], [own]));
    }
    return merged(all);
  } finally {
    await forward.close();
  }
}

/** Residual streams before each block as far as they are known: of the unpruned model, or of it under a scheme. */
function statesOf({ states }: Base, rounding: Rounding | null): Float32Array[][] {
  if (!rounding) return states.map((own) => own.slice());
  if (rounding.heldOut.length === 0) rounding.heldOut.push(states[0].slice());
  return rounding.heldOut;
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
