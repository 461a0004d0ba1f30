// The evaluation set beside a model: `eval/` of its folder, else the shipped text alone, as tokens and normalised planes.

import { InputError } from "../../core/errors.js";
import type { Model, Tokenizer } from "../../core/model.js";
import type { Platform } from "../../core/ports.js";
import type { Picture } from "../../model/image.js";
import { preprocess } from "../../model/image.js";
import { promptTokens } from "../../model/prompt.js";
import { patchCount } from "../../model/vision.js";
import { decodeImage } from "../../platform/images.js";
import type { EvalSet } from "../../run/parts.js";
import { SHIPPED_MODEL } from "./subjects.js";

/** Tokens of a window of text: what the shipped model was trained on. */
const WINDOW = 128;
const TILE = 64;
const TILES_PER_ROW = 16;

interface QuestionLine {
  readonly tile: number;
  readonly question: string;
  readonly answer: string;
  readonly set: string;
  readonly type: string;
}

function parseLine(path: string, line: string, index: number): QuestionLine {
  const fault = (problem: string) =>
    new InputError(path, `line ${index + 1}`, problem, "Write the set again with scripts/model/evalsets");
  let value: Partial<QuestionLine>;
  try {
    value = JSON.parse(line) as Partial<QuestionLine>;
  } catch {
    throw fault("is not JSON");
  }
  const { tile, question, answer, set, type } = value;
  if (
    !Number.isInteger(tile) ||
    typeof question !== "string" ||
    typeof answer !== "string" ||
    typeof set !== "string" ||
    typeof type !== "string"
  ) {
    throw fault("needs tile, question, answer, set and type");
  }
  return { tile: tile as number, question, answer, set, type };
}

/** Tile `index` of a sheet with 16 tiles of 64x64 in a row. */
export function tileOf(sheet: Picture, index: number, path: string): Picture {
  const left = (index % TILES_PER_ROW) * TILE;
  const top = Math.floor(index / TILES_PER_ROW) * TILE;
  if (index < 0 || left + TILE > sheet.width || top + TILE > sheet.height) {
    throw new InputError(path, `tile ${index}`, "lies outside the sheet", "Write the set again");
  }
  const rgb = new Uint8Array(TILE * TILE * 3);
  for (let y = 0; y < TILE; y++) {
    const from = ((top + y) * sheet.width + left) * 3;
    rgb.set(sheet.rgb.subarray(from, from + TILE * 3), y * TILE * 3);
  }
  return { width: TILE, height: TILE, rgb };
}

/** Windows of at most WINDOW tokens, each led by the begin-of-text token; a last token alone is dropped. */
function textWindows(tokenizer: Tokenizer, text: string, longest: number): number[][] {
  const tokens = tokenizer.encode(text);
  const step = Math.min(WINDOW, longest) - 1;
  const count = Math.ceil(tokens.length / step);
  return Array.from({ length: count }, (_, i) => [tokenizer.bosId, ...tokens.slice(i * step, (i + 1) * step)]).filter(
    (window) => window.length > 2,
  );
}

export async function readSheet(platform: Platform, path: string): Promise<Picture> {
  const source = await platform.open(path);
  try {
    return decodeImage(path, await source.read(0, source.sizeBytes));
  } finally {
    await source.close();
  }
}

/** Questions of one folder; none when the model does not see or the folder has none. `first` numbers the pictures. */
async function questionsOf(platform: Platform, folder: string, model: Model, tokenizer: Tokenizer, first: number) {
  const { config } = model;
  const path = `${folder}/questions.jsonl`;
  const sheetPath = `${folder}/pictures.png`;
  if (config.architecture !== "llava" || !(await platform.exists(path))) return [];
  const sheet = await readSheet(platform, sheetPath);
  const image = { id: config.imageTokenId, count: patchCount(config.vision) };
  const lines = (await platform.readText(path)).split("\n").filter((line) => line !== "");
  return lines.map((line, i) => {
    const { tile, question, answer, set, type } = parseLine(path, line, i);
    return {
      set,
      type,
      picture: first + tile,
      pixels: () => preprocess(tileOf(sheet, tile, sheetPath), config.vision),
      prompt: promptTokens(tokenizer, `${question}\n`, image),
      answer: [...tokenizer.encode(answer), tokenizer.eosId],
    };
  });
}

/** Folders of an evaluation set; either may be absent there. */
export interface EvalFolders {
  readonly questions: readonly string[];
  readonly text: string;
}

/** Where a model's own set is; without one, the shipped text. */
export async function evalFolders(platform: Platform, model: Model): Promise<EvalFolders> {
  const own = `${model.origin}/eval`;
  const hasText = await platform.exists(`${own}/text.txt`);
  return { questions: [own], text: hasText ? own : platform.packagePath(`${SHIPPED_MODEL}/eval`) };
}

/** The evaluation set of a model as tokens and pictures; null for a model without a tokenizer. */
export async function loadEvalSet(platform: Platform, model: Model, folders: EvalFolders): Promise<EvalSet | null> {
  const { tokenizer } = model;
  if (!tokenizer) return null;
  const lists = await Promise.all(
    folders.questions.map((folder, i) => questionsOf(platform, folder, model, tokenizer, i * 1e6)),
  );
  const path = `${folders.text}/text.txt`;
  const text = (await platform.exists(path)) ? await platform.readText(path) : "";
  return { questions: lists.flat(), windows: textWindows(tokenizer, text, model.config.decoder.maxContext) };
}
