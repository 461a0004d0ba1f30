// What was measured about the shipped model: written by training (`training`) and by `npm run eval`
// (`evaluation`) into `measured.json` beside the model; the model card is generated from it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./evalfiles.js";

export interface TrainingFacts {
  readonly seed: number;
  /** Optimizer steps of the vision tower's pre-training on labels, then of the whole model. */
  readonly visionSteps: number;
  readonly steps: number;
  /** Token positions that went through the decoder. */
  readonly positions: number;
  /** Patches (and class tokens) that went through the vision tower, both phases. */
  readonly visionRows: number;
  /** 6 x parameters x positions, each part of the model counted with its own positions. */
  readonly flop: number;
  readonly wallSeconds: number;
  readonly threads: number;
  readonly cpu: string;
}

export interface Score {
  readonly correct: number;
  readonly total: number;
}

export interface EvaluationFacts {
  /** sha256 of the `model.safetensors` that was evaluated. */
  readonly modelSha256: string;
  readonly backend: string;
  /** By question type, and all together under "all". */
  readonly easyVqa: Readonly<Record<string, Score>>;
  readonly digits: Readonly<Record<string, Score>>;
  readonly text: { readonly perplexity: number; readonly tokens: number; readonly contextTokens: number };
}

export interface Facts {
  readonly training?: TrainingFacts;
  readonly evaluation?: EvaluationFacts;
}

/** The facts so far; empty when nothing was measured yet. */
export function readFacts(folder: string): Facts {
  const path = join(folder, "measured.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Facts) : {};
}

/** Adds facts to those already there. */
export function addFacts(folder: string, facts: Facts): void {
  writeWhole(join(folder, "measured.json"), `${JSON.stringify({ ...readFacts(folder), ...facts }, null, 2)}\n`);
}
