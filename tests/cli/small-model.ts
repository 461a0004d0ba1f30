// A LLaVA in the shipped model's shapes with random weights, written as a real checkpoint folder with a small
// evaluation set: what the command line loads in tests.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tensorShapes } from "../../scripts/model/architecture.js";
import { exportModel } from "../../scripts/model/export.js";
import { elementCount } from "../../src/core/tensor.js";
import { uniform } from "../../src/model/sample.js";
import { root } from "../support/root.js";

const SHIPPED = join(root, "models", "nibblemark-llava-2m");

/** Norm weights 1, all else small and seeded. */
function values(name: string, shape: readonly number[]): Float32Array {
  const random = uniform([...name].reduce((seed, letter) => Math.imul(seed, 31) + letter.charCodeAt(0), 7));
  const middle = /norm[12]?\.weight$/.test(name) ? 1 : 0;
  return Float32Array.from({ length: elementCount(shape) }, () => middle + 0.1 * (random() - 0.5));
}

/** Writes the model into `folder` and returns its path. */
export async function writeSmallModel(folder: string): Promise<string> {
  const path = join(folder, "small");
  const parameters = new Map(
    [...tensorShapes()].map(([name, shape]) => [name, { shape, values: values(name, shape) }]),
  );
  await exportModel(parameters, path, { seed: "7" }, "test");
  copyFileSync(join(SHIPPED, "tokenizer.json"), join(path, "tokenizer.json"));
  mkdirSync(join(path, "eval"));
  copyFileSync(join(SHIPPED, "eval", "pictures.png"), join(path, "eval", "pictures.png"));
  const questions = readFileSync(join(SHIPPED, "eval", "questions.jsonl"), "utf8")
    .split("\n")
    .slice(0, 3);
  writeFileSync(join(path, "eval", "questions.jsonl"), `${questions.join("\n")}\n`);
  writeFileSync(join(path, "eval", "text.txt"), "Call me Ishmael. Some years ago, never mind how long precisely.");
  return path;
}
