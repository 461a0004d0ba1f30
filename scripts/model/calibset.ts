// Calibration and healing sets for `nibblemark compress`, all from the training splits: digit grids, easy-VQA pictures and text.
// `node build/scripts/model/calibset.js` writes the small set that ships beside the model; `--count N --out FOLDER [--seed S]` a
// larger one (N questions, N / 2 stretches of text), such as healing by sft wants.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { jitter } from "./augment.js";
import { drawGrid, loadDigits, pictureBytes, planGrid } from "./digits.js";
import { loadEasyVqa } from "./easyvqa.js";
import { type EvalRow, writeEvalSet, writeWhole } from "./evalfiles.js";
import { ensureData } from "./fetch.js";
import { gridQuestions } from "./questions.js";
import { makeRandom, type Random, sample } from "./random.js";
import { loadTexts } from "./text.js";
import { modelFolder } from "./tokenizer.js";

/** Characters of a stretch of text: some hundred tokens. */
const STRETCH = 300;

/** A stretch from the start of a word to the end of one. */
function stretchOf(random: Random, text: string): string {
  const from = text.indexOf(" ", random.int(text.length - STRETCH - 100)) + 1;
  const end = text.lastIndexOf(" ", from + STRETCH);
  return text.slice(from, end);
}

/** Writes `calib.jsonl` and `pictures.png`; every second question is about a grid. */
export function writeCalibration(dataDir: string, folder: string, count: number, seed: number): void {
  const random = makeRandom(seed, 7);
  const digits = loadDigits(dataDir);
  const shapes = loadEasyVqa(dataDir, "train");
  const pixels = new Uint8Array(count * pictureBytes);
  const rows = Array.from({ length: count }, (_, tile): EvalRow => {
    if (tile % 2 === 0) {
      const plan = planGrid(random);
      drawGrid(random, digits, "train", plan, jitter, pixels, tile * pictureBytes);
      return { tile, ...gridQuestions(random, plan, 1)[0], set: "digits" };
    }
    const picture = random.int(shapes.questions.length);
    pixels.set(shapes.pixels.subarray(picture * pictureBytes, (picture + 1) * pictureBytes), tile * pictureBytes);
    return { tile, ...sample(random, shapes.questions[picture], 1)[0], set: "easy-vqa" };
  });
  writeEvalSet(folder, { pixels, rows });
  rmSync(join(folder, "questions.jsonl"));
  const texts = loadTexts(dataDir);
  const stretches = Array.from({ length: Math.floor(count / 2) }, (_, i) => ({
    text: stretchOf(random, i % 3 === 0 ? texts.novel : texts.speeches),
  }));
  const asked = rows.map(({ tile, question, answer }) => ({ tile, prompt: question, answer }));
  const lines = [...asked, ...stretches].map((row) => `${JSON.stringify(row)}\n`);
  writeWhole(join(folder, "calib.jsonl"), lines.join(""));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { count: text, out: text, seed: text } });
  const folder = values.out ?? join(modelFolder, "calib");
  writeCalibration(ensureData(), folder, Number(values.count ?? 96), Number(values.seed ?? 11));
  process.stderr.write(`calibration set: written to ${folder}\n`);
}
