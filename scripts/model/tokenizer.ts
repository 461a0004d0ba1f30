// Trains the shipped model's tokenizer on its training data and writes `tokenizer.json` beside the
// model. The same data gives the same bytes. Run by hand: `node build/scripts/model/tokenizer.js`.

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Bpe, splitWords, trainBpe } from "./bpe.js";
import { planGrid } from "./digits.js";
import { loadEasyVqa } from "./easyvqa.js";
import { ensureData } from "./fetch.js";
import { gridQuestions, type Question } from "./questions.js";
import { makeRandom } from "./random.js";
import { loadTexts } from "./text.js";
import { tokenizerConfigJson, tokenizerJson } from "./tokenizer-json.js";

export const modelFolder = join("models", "nibblemark-llava-2m");
const vocabSize = 1024;
const seed = 1;
/** Questions and answers count this often, so that their words become single tokens beside 12 MB of text. */
const questionWeight = 3;
const answerWeight = 30;

function trainingQuestions(dataDir: string): Question[] {
  const random = makeRandom(seed, 0x70c);
  const grids = Array.from({ length: 8000 }, () => gridQuestions(random, planGrid(random), 5)).flat();
  return [...loadEasyVqa(dataDir, "train").questions.flat(), ...grids];
}

/** Trains on the training questions, their answers and the training text. */
export function trainTokenizer(dataDir: string): Bpe {
  const counts = new Map<string, number>();
  const count = (text: string, weight: number): void => {
    for (const word of splitWords(text)) counts.set(word, (counts.get(word) ?? 0) + weight);
  };
  for (const { question, answer } of trainingQuestions(dataDir)) {
    count(question, questionWeight);
    count(answer, answerWeight);
  }
  const texts = loadTexts(dataDir);
  count(texts.novel, 2);
  count(texts.speeches, 1);
  return trainBpe(counts, vocabSize);
}

function writeJson(path: string, value: object): void {
  writeFileSync(`${path}.part`, `${JSON.stringify(value, null, 1)}\n`);
  renameSync(`${path}.part`, path);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const bpe = trainTokenizer(ensureData());
  mkdirSync(modelFolder, { recursive: true });
  writeJson(join(modelFolder, "tokenizer.json"), tokenizerJson(bpe));
  writeJson(join(modelFolder, "tokenizer_config.json"), tokenizerConfigJson());
  process.stderr.write(`tokenizer: ${bpe.merges.length} merges written to ${modelFolder}\n`);
}
