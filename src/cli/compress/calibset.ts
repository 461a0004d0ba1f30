// Calibration files: JSON Lines of {"image": FILE | "tile": N, "prompt", "answer"} or {"text"}, read into tokens with classes. Pictures
// are files beside it, or tiles of 64x64 on the sheet pictures.png beside it, 16 in a row.

import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { type CalibrationSample, type CalibrationSet, TOKEN_CLASSES, type TokenClass } from "../../compress/samples.js";
import { InputError } from "../../core/errors.js";
import type { Model, Tokenizer } from "../../core/model.js";
import type { Platform } from "../../core/ports.js";
import { type Picture, preprocess } from "../../model/image.js";
import { promptTokens } from "../../model/prompt.js";
import { patchCount } from "../../model/vision.js";
import { decodeImage } from "../../platform/images.js";
import { tileOf } from "../parts/evalset.js";

interface Line {
  readonly image?: string;
  readonly tile?: number;
  readonly prompt?: string;
  readonly answer?: string;
  readonly text?: string;
}

/** A sample with what the trainer needs of it as well. */
export interface PictureSample extends CalibrationSample {
  /** The picture itself; null for text. */
  readonly picture: (() => Picture) | null;
}

export interface PictureSet extends CalibrationSet {
  readonly samples: readonly PictureSample[];
  /** Hash of the file and of the pictures that it names. */
  readonly print: string;
}

function parseLine(path: string, text: string, index: number): Line {
  const fault = (problem: string) =>
    new InputError(path, `line ${index + 1}`, problem, 'Write {"image", "prompt", "answer"} or {"text"} a line');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault("is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fault("is no object");
  const line = value as Line;
  for (const key of ["image", "prompt", "answer", "text"] as const) {
    if (line[key] !== undefined && typeof line[key] !== "string") throw fault(`${key} is no text`);
  }
  if (line.tile !== undefined && !Number.isInteger(line.tile)) throw fault("tile is no whole number");
  if (line.text === undefined && line.prompt === undefined) throw fault("has neither text nor prompt");
  return line;
}

const shortHash = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex").slice(0, 16);

const classNumber = (name: TokenClass): number => TOKEN_CLASSES.indexOf(name);

/**
 * Reads a set. Pictures are decoded when a sample is used, and each once here, so that none fails later.
 * @param longest most tokens of a sample; longer texts are cut, longer questions refused
 * @throws InputError for a line or a picture that cannot be used, and for a model without a tokenizer
 */
export async function readCalibration(
  platform: Platform,
  path: string,
  model: Model,
  longest: number,
): Promise<PictureSet> {
  const { tokenizer, config } = model;
  if (!tokenizer) {
    throw new InputError(model.origin, "tokenizer", "is missing", "Put the model's tokenizer.json beside its weights");
  }
  const text = await platform.readText(path);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const folder = dirname(resolve(path));
  const { pictureOf, hashes } = await openPictures(
    platform,
    folder,
    lines.map((line, i) => parseLine(path, line, i)),
    path,
  );
  const samples = lines.map((raw, i): PictureSample => {
    const line = parseLine(path, raw, i);
    const picture = pictureOf(line);
    if (picture && config.architecture !== "llava") {
      throw new InputError(path, `line ${i + 1}`, "has a picture, this model reads text only", "Give text samples");
    }
    const image =
      config.architecture === "llava" ? { id: config.imageTokenId, count: patchCount(config.vision) } : null;
    const { tokens, classes } = tokensOf(tokenizer, line, picture ? image : null);
    if (tokens.length > longest && line.text === undefined) {
      const problem = `has ${tokens.length} tokens, at most ${longest} are possible`;
      throw new InputError(path, `line ${i + 1}`, problem, "Shorten the question or its answer");
    }
    const pixels = picture && config.architecture === "llava" ? () => preprocess(picture(), config.vision) : null;
    return { tokens: tokens.slice(0, longest), classes: classes.slice(0, longest), pixels, picture };
  });
  const print = shortHash(JSON.stringify([text, hashes]));
  return { samples, source: path, hash: shortHash(text), print };
}

function tokensOf(tokenizer: Tokenizer, line: Line, image: { id: number; count: number } | null) {
  if (line.text !== undefined) {
    const tokens = promptTokens(tokenizer, line.text, null);
    return { tokens, classes: new Uint8Array(tokens.length).fill(classNumber("text")) };
  }
  const prompt = promptTokens(tokenizer, line.prompt ?? "", image);
  const answer = line.answer === undefined ? [] : [...tokenizer.encode(line.answer), tokenizer.eosId];
  const asked = prompt.map((token) => classNumber(image && token === image.id ? "image" : "prompt"));
  return {
    tokens: [...prompt, ...answer],
    classes: Uint8Array.from([...asked, ...answer.map(() => classNumber("answer"))]),
  };
}

interface Pictures {
  readonly pictureOf: (line: Line) => (() => Picture) | null;
  /** Of each file that is read. */
  readonly hashes: readonly string[];
}

async function bytesOf(platform: Platform, path: string): Promise<Uint8Array> {
  const source = await platform.open(path);
  try {
    return await source.read(0, source.sizeBytes);
  } finally {
    await source.close();
  }
}

/** Reads all picture files that the lines name, once each. Throws InputError naming the line of one that is no picture. */
async function openPictures(
  platform: Platform,
  folder: string,
  lines: readonly Line[],
  path: string,
): Promise<Pictures> {
  const files = new Map<string, Uint8Array>();
  for (const [i, { image }] of lines.entries()) {
    if (image === undefined || files.has(image)) continue;
    try {
      const bytes = await bytesOf(platform, resolve(folder, image));
      decodeImage(image, bytes);
      files.set(image, bytes);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(path, `line ${i + 1}`, `its picture ${image}: ${error.problem}`, "Check the file");
    }
  }
  const sheetPath = `${folder}/pictures.png`;
  const sheetBytes = lines.some(({ tile }) => tile !== undefined) ? await bytesOf(platform, sheetPath) : null;
  const sheet = sheetBytes ? decodeImage(sheetPath, sheetBytes) : null;
  const pictureOf: Pictures["pictureOf"] = ({ image, tile }) => {
    if (image !== undefined) return () => decodeImage(image, files.get(image) as Uint8Array);
    if (tile === undefined || !sheet) return null;
    tileOf(sheet, tile, sheetPath);
    return () => tileOf(sheet, tile, sheetPath);
  };
  return { pictureOf, hashes: [...files.values(), ...(sheetBytes ? [sheetBytes] : [])].map(shortHash) };
}
