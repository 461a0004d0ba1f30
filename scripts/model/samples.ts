// Cuts two pictures out of the committed evaluation sheet, for the README and for a first `nibblemark run`:
// samples/digits.png and samples/shape.png beside the model.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { pictureBytes } from "./digits.js";
import { readEvalSet, writeWhole } from "./evalfiles.js";
import { modelFolder } from "./tokenizer.js";

const SIZE = 64;
/** A count with more than one hit shows more than a lucky guess would. */
const WANTED = [
  { name: "digits.png", set: "digits", type: "count", answer: "2" },
  { name: "shape.png", set: "easy-vqa", type: "colour", answer: "" },
] as const;

const { pixels, rows } = readEvalSet(join(modelFolder, "eval"));
const folder = join(modelFolder, "samples");
mkdirSync(folder, { recursive: true });
for (const { name, set, type, answer } of WANTED) {
  const row = rows.find((one) => one.set === set && one.type === type && (answer === "" || one.answer === answer));
  if (!row) throw new Error(`the evaluation set holds no ${type} question of ${set}`);
  const picture = new PNG({ width: SIZE, height: SIZE });
  picture.data.fill(255);
  const from = row.tile * pictureBytes;
  for (let i = 0; i < SIZE * SIZE; i++) picture.data.set(pixels.subarray(from + i * 3, from + i * 3 + 3), i * 4);
  writeWhole(join(folder, name), PNG.sync.write(picture));
  process.stderr.write(`${name}: ${row.question} ${row.answer}\n`);
}
