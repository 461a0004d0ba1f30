// Evaluation sets, all held out from training: grids of digits never trained on, easy-VQA's official
// test split, and chapters and speeches never read. `node build/scripts/model/evalsets.js` writes the
// full sets under `.cache/data/eval`; with `--commit` the small set that ships beside the model.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { jitter } from "./augment.js";
import { drawGrid, type GridPlan, loadDigits, pictureBytes, planGrid } from "./digits.js";
import { loadEasyVqa } from "./easyvqa.js";
import { type EvalRow, type EvalSet, joinSets, writeEvalSet, writeWhole } from "./evalfiles.js";
import { ensureData } from "./fetch.js";
import { compareQuestion, countQuestion, type Question, whichQuestion } from "./questions.js";
import { makeRandom, type Random } from "./random.js";
import { evaluationText, loadTexts } from "./text.js";
import { modelFolder } from "./tokenizer.js";

const seed = 20;

function uniformPlan(random: Random): GridPlan {
  const cells = [random.int(10), random.int(10), random.int(10), random.int(10)] as const;
  return { cells, counted: random.int(10) };
}

/** Question `index` of a grid set: the three types take turns, comparisons answer yes and no in turn, counts are uniform. */
function gridQuestion(random: Random, index: number): { plan: GridPlan; asked: Question } {
  const plan = index % 3 === 1 ? planGrid(random) : uniformPlan(random);
  if (index % 3 === 0) return { plan, asked: whichQuestion(random, plan, random.int(4)) };
  if (index % 3 === 1) return { plan, asked: countQuestion(random, plan, plan.counted) };
  const wanted = Math.floor(index / 3) % 2 === 0 ? "yes" : "no";
  const asked = compareQuestion(random, plan, new Set());
  return asked?.answer === wanted ? { plan, asked } : gridQuestion(random, index);
}

/** `count` questions, each on its own grid of held-out digits with jitter alone. A pure function of (data, stream). */
export function gridSet(dataDir: string, count: number, stream: number): EvalSet {
  const random = makeRandom(seed, stream);
  const digits = loadDigits(dataDir);
  const pixels = new Uint8Array(count * pictureBytes);
  const rows = Array.from({ length: count }, (_, tile): EvalRow => {
    const { plan, asked } = gridQuestion(random, tile);
    drawGrid(random, digits, "test", plan, jitter, pixels, tile * pictureBytes);
    return { tile, ...asked, set: "digits" };
  });
  return { pixels, rows };
}

/** All questions of easy-VQA's official test split. */
export function easyVqaTestSet(dataDir: string): EvalSet {
  const { pixels, questions } = loadEasyVqa(dataDir, "test");
  const rows = questions.flatMap((list, tile) => list.map((asked): EvalRow => ({ tile, ...asked, set: "easy-vqa" })));
  return { pixels, rows };
}

/** `count` questions of easy-VQA's test split on different pictures; shapes, colours, yes and no take turns. */
function smallEasyVqaSet(dataDir: string, count: number): EvalSet {
  const { pixels, rows } = easyVqaTestSet(dataDir);
  const random = makeRandom(seed, 3);
  const kinds = [
    (row: EvalRow) => row.type === "shape",
    (row: EvalRow) => row.answer === "yes",
    (row: EvalRow) => row.type === "colour",
    (row: EvalRow) => row.answer === "no",
  ];
  const used = new Set<number>();
  const small = new Uint8Array(count * pictureBytes);
  const taken = Array.from({ length: count }, (_, tile): EvalRow => {
    const fitting = rows.filter((row) => kinds[tile % 4](row) && !used.has(row.tile));
    const row = fitting[random.int(fitting.length)];
    used.add(row.tile);
    small.set(pixels.subarray(row.tile * pictureBytes, (row.tile + 1) * pictureBytes), tile * pictureBytes);
    return { ...row, tile };
  });
  return { pixels: small, rows: taken };
}

/** The set that ships: 100 grid questions, 100 easy-VQA test questions, 16 KB of text. */
function writeCommitted(dataDir: string): string {
  const folder = join(modelFolder, "eval");
  writeEvalSet(folder, joinSets(gridSet(dataDir, 100, 1), smallEasyVqaSet(dataDir, 100)));
  writeWhole(join(folder, "text.txt"), evaluationText(loadTexts(dataDir)));
  return folder;
}

/** The full sets: 2,000 grid questions, 9,673 easy-VQA test questions, all held-out text. Returns their folder. */
export function writeFullSets(dataDir: string): string {
  const folder = join(dataDir, "eval");
  writeEvalSet(join(folder, "digits"), gridSet(dataDir, 2000, 2));
  writeEvalSet(join(folder, "easy-vqa"), easyVqaTestSet(dataDir));
  const texts = loadTexts(dataDir);
  mkdirSync(join(folder, "text"), { recursive: true });
  writeWhole(join(folder, "text", "text.txt"), texts.heldOutNovel + texts.heldOutSpeeches);
  return folder;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const write = process.argv.includes("--commit") ? writeCommitted : writeFullSets;
  process.stderr.write(`evaluation sets: written to ${write(ensureData())}\n`);
}
