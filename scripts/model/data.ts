// The trainer's data: batches that are a pure function of (seed, step, shard). A joint batch has
// digit grids and easy-VQA pictures with questions, and stretches of text; a vision batch has
// pictures and labels only, for pre-training the vision tower. A batch takes a few milliseconds.

import { createHash } from "node:crypto";
import type { BatchSource, TrainBatch, TrainSequence } from "../../src/core/batch.js";
import { jitter, strongWarp } from "./augment.js";
import type { Bpe } from "./bpe.js";
import { type DigitClasses, drawGrid, type GridPlan, loadDigits, pictureBytes, planGrid } from "./digits.js";
import { drawAugmented, type EasyVqa, loadEasyVqa } from "./easyvqa.js";
import { packQuestions, packText } from "./pack.js";
import { prepared } from "./prepared.js";
import { gridQuestions, type Question } from "./questions.js";
import { makeRandom, type Random, sample } from "./random.js";
import { loadTexts } from "./text.js";

export interface VisionOptions {
  readonly seed: number;
  /** Where `ensureData` put the data. */
  readonly dataDir: string;
  /** Pictures of each kind in one shard. */
  readonly grids?: number;
  readonly easyVqa?: number;
  /** Warp the digits (rotation, scale, elastic field) instead of shifting them only. */
  readonly isAugmented?: boolean;
}

export interface BatchOptions extends VisionOptions {
  readonly tokenizer: Bpe;
  readonly questionsPerPicture?: number;
  readonly textSequences?: number;
  /** Tokens of one text sequence, `<s>` included. */
  readonly textTokens?: number;
  /** Loss weight of a question token; an answer token has 1. */
  readonly questionWeight?: number;
  /** Total weight of a shard's text over the total weight of its answers. */
  readonly textRatio?: number;
  /** Share of the text that is the novel; the rest is speeches. */
  readonly novelShare?: number;
}

interface Pictures {
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  /** [pictures] where questions come from: the plan of a grid or the index of an easy-VQA picture. */
  readonly origins: readonly (GridPlan | number)[];
}

interface PictureSource {
  readonly digits: DigitClasses;
  readonly shapes: EasyVqa;
  draw(random: Random): Pictures;
}

const labelsPerPicture = 6;

function makePictureSource(options: VisionOptions, defaultCount: number): PictureSource {
  const { dataDir, grids = defaultCount, easyVqa = defaultCount, isAugmented = true } = options;
  const digits = loadDigits(dataDir);
  const shapes = loadEasyVqa(dataDir, "train");
  const warp = isAugmented ? strongWarp : jitter;
  const draw = (random: Random): Pictures => {
    const pixels = new Uint8Array((grids + easyVqa) * pictureBytes);
    const labels = new Int32Array((grids + easyVqa) * labelsPerPicture).fill(-1);
    const origins: (GridPlan | number)[] = [];
    for (let i = 0; i < grids; i++) {
      const plan = planGrid(random);
      drawGrid(random, digits, "train", plan, warp, pixels, i * pictureBytes);
      labels.set(plan.cells, i * labelsPerPicture);
      origins.push(plan);
    }
    for (let i = grids; i < grids + easyVqa; i++) {
      const picture = random.int(shapes.questions.length);
      drawAugmented(random, shapes, picture, pixels, i * pictureBytes);
      labels.set(shapes.labels.subarray(2 * picture, 2 * picture + 2), i * labelsPerPicture + 4);
      origins.push(picture);
    }
    return { pixels, labels, origins };
  };
  return { digits, shapes, draw };
}

/** Token streams of the training text, encoded once per tokenizer. */
function loadStreams(dataDir: string, tokenizer: Bpe): readonly [Uint16Array, Uint16Array] {
  const key = createHash("sha256").update(JSON.stringify(tokenizer.merges)).digest("hex").slice(0, 12);
  const stream = (part: "novel" | "speeches"): Uint16Array => {
    const make = () => new Uint8Array(Uint16Array.from(tokenizer.encode(loadTexts(dataDir)[part])).buffer);
    return new Uint16Array(prepared(dataDir, `${part}-${key}.u16`, make).slice().buffer);
  };
  return [stream("novel"), stream("speeches")];
}

function answerWeight(sequences: readonly TrainSequence[]): number {
  return sequences.reduce((sum, { weights }) => sum + weights.reduce((part, w) => part + (w === 1 ? 1 : 0), 0), 0);
}

/** Batches for training the whole model; by default 4 grids, 4 easy-VQA pictures with 5 questions each, 4 x 128 text tokens. */
export function makeBatchSource(options: BatchOptions): BatchSource {
  const { seed, dataDir, tokenizer, questionsPerPicture = 5, textSequences = 4, textTokens = 128 } = options;
  const { questionWeight = 0.1, textRatio = 1, novelShare = 1 / 3 } = options;
  const pictures = makePictureSource(options, 4);
  const [novel, speeches] = loadStreams(dataDir, tokenizer);
  const ask = (random: Random, origin: GridPlan | number): Question[] =>
    typeof origin === "number"
      ? sample(random, pictures.shapes.questions[origin], questionsPerPicture)
      : gridQuestions(random, origin, questionsPerPicture);
  return (step, shard): TrainBatch => {
    const random = makeRandom(seed, 1, step, shard);
    const { pixels, labels, origins } = pictures.draw(random);
    const sequences = origins.map((origin, i) => packQuestions(tokenizer, i, ask(random, origin), questionWeight));
    const textWeight = (textRatio * answerWeight(sequences)) / Math.max(1, textSequences * textTokens);
    for (let i = 0; i < textSequences; i++) {
      const stream = random.next() < novelShare ? novel : speeches;
      sequences.push(packText(stream, random.int(stream.length - textTokens), textTokens, textWeight));
    }
    return { pixels, sequences, labels };
  };
}

/** Batches of labelled pictures without sequences; by default 16 grids and 16 easy-VQA pictures. */
export function makeVisionSource(options: VisionOptions): BatchSource {
  const pictures = makePictureSource(options, 16);
  return (step, shard): TrainBatch => {
    const { pixels, labels } = pictures.draw(makeRandom(options.seed, 2, step, shard));
    return { pixels, sequences: [], labels };
  };
}
