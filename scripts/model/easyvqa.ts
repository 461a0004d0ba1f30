// easy-VQA (Victor Zhou): one coloured shape a picture, questions with 13 answers. Loads one of its
// two official splits; training reads "train" only. Pictures are decoded once into one binary file.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { UnavailableError } from "../../src/core/errors.js";
import { pictureBytes } from "./digits.js";
import { prepared } from "./prepared.js";
import type { Question } from "./questions.js";
import type { Random } from "./random.js";
import { easyVqaSource } from "./sources.js";

export const shapes = ["circle", "rectangle", "triangle"];
export const colours = ["black", "blue", "brown", "gray", "green", "red", "teal", "yellow"];

export interface EasyVqa {
  /** [pictures, 64, 64, 3] bytes. */
  readonly pixels: Uint8Array;
  /** [pictures] the questions of each picture. */
  readonly questions: readonly (readonly Question[])[];
  /** [pictures, 2] index of the shape and of the colour, -1 where the questions do not tell. */
  readonly labels: Int32Array;
}

function typeOf(answer: string): Question["type"] {
  if (answer === "yes" || answer === "no") return "yesno";
  return shapes.includes(answer) ? "shape" : "colour";
}

/** What one question and its answer tell of the picture: an index into `names`, or -1. */
function told({ question, answer }: Question, names: readonly string[]): number {
  if (names.includes(answer)) return names.indexOf(answer);
  const named = names.findIndex((name) => question.includes(` ${name}`));
  const isOpen = question.startsWith("what");
  const isNegated = question.includes(" not ") || question.startsWith("is no ");
  return isOpen || (answer === "yes") !== isNegated ? named : -1;
}

function decode(folder: string, count: number): Uint8Array {
  const pixels = new Uint8Array(count * pictureBytes);
  for (let i = 0; i < count; i++) {
    const { data } = PNG.sync.read(readFileSync(join(folder, "images", `${i}.png`)));
    for (let p = 0; p < 64 * 64; p++) pixels.set(data.subarray(4 * p, 4 * p + 3), i * pictureBytes + 3 * p);
  }
  return pixels;
}

/** Reads one split. @throws UnavailableError when the data was not fetched */
export function loadEasyVqa(dataDir: string, split: "train" | "test"): EasyVqa {
  const folder = join(dataDir, easyVqaSource.folder, "easy_vqa", "data", split);
  const path = join(folder, "questions.json");
  if (!existsSync(path)) throw new UnavailableError(path, "the data was not fetched", "Run `npm run data` first.");
  const rows = JSON.parse(readFileSync(path, "utf8")) as [string, string, number][];
  const count = Math.max(...rows.map(([, , picture]) => picture)) + 1;
  const questions: Question[][] = Array.from({ length: count }, () => []);
  const labels = new Int32Array(2 * count).fill(-1);
  for (const [question, answer, picture] of rows) {
    const asked: Question = { question, answer, type: typeOf(answer) };
    questions[picture].push(asked);
    [shapes, colours].forEach((names, i) => {
      labels[2 * picture + i] = Math.max(labels[2 * picture + i], told(asked, names));
    });
  }
  const pixels = prepared(dataDir, `easy-vqa-${split}.rgb`, () => decode(folder, count));
  return { pixels, questions, labels };
}

/** Copies a picture, mirrored left to right half of the time and shifted by up to 3 pixels: no answer depends on either. */
export function drawAugmented(
  random: Random,
  source: EasyVqa,
  picture: number,
  into: Uint8Array,
  offset: number,
): void {
  const isMirrored = random.int(2) === 1;
  const [shiftX, shiftY] = [random.int(7) - 3, random.int(7) - 3];
  const inside = (at: number): number => Math.min(63, Math.max(0, at));
  const base = picture * pictureBytes;
  for (let y = 0; y < 64; y++) {
    const row = base + inside(y - shiftY) * 64 * 3;
    for (let x = 0; x < 64; x++) {
      const from = row + 3 * inside((isMirrored ? 63 - x : x) - shiftX);
      const to = offset + 3 * (64 * y + x);
      into[to] = source.pixels[from];
      into[to + 1] = source.pixels[from + 1];
      into[to + 2] = source.pixels[from + 2];
    }
  }
}
