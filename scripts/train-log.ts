// Copies the log of a training run to the shipped model, thinned: the first 200 steps of each stage, then every 20th.
// `node build/scripts/train-log.js [LOG]`; the default is .cache/train/train-log.jsonl.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { StepRecord } from "../src/train/loop.js";
import { modelFolder } from "./model/tokenizer.js";

const wholeSteps = 200;
const stride = 20;

export function thinLog(text: string): string {
  const lines = text.trimEnd().split("\n");
  const kept = lines.filter((line) => {
    const { step } = JSON.parse(line) as StepRecord;
    return step < wholeSteps || (step + 1) % stride === 0;
  });
  return kept.map((line) => `${line}\n`).join("");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const target = join(modelFolder, "train-log.jsonl");
  const log = readFileSync(process.argv[2] ?? join(".cache", "train", "train-log.jsonl"), "utf8");
  writeFileSync(`${target}.part`, thinLog(log));
  renameSync(`${target}.part`, target);
  process.stderr.write(`training log written to ${target}\n`);
}
