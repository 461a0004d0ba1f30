// Public-domain text: Moby-Dick and the State of the Union addresses, with simple ASCII
// punctuation and single spaces; paragraphs end with a line break. Every 20th chapter and
// speech is held out; 16 KB of that is the committed evaluation text.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "../../src/core/errors.js";
import { textSource } from "./sources.js";
import { isHeldOutText } from "./splits.js";

export interface Texts {
  /** Training text of the novel and of the speeches, apart so that they can be mixed. */
  readonly novel: string;
  readonly speeches: string;
  /** Held-out text of each. */
  readonly heldOutNovel: string;
  readonly heldOutSpeeches: string;
}

/** Single spaces, one line break after a paragraph, plain quotes and dashes, no control characters. */
export function normaliseText(text: string): string {
  return text
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/\u2014/g, "--")
    .replace(/[\u2010-\u2013]/g, "-")
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/[\s\p{Cc}]+/gu, " ").trim())
    .filter((paragraph) => paragraph.length > 0)
    .map((paragraph) => `${paragraph}\n`)
    .join("");
}

function readParts(folder: string, names: readonly string[]): { training: string; heldOut: string } {
  const parts = names.map((name) => normaliseText(readFileSync(join(folder, name), "utf8")));
  return {
    training: parts.filter((_, i) => !isHeldOutText(i)).join(""),
    heldOut: parts.filter((_, i) => isHeldOutText(i)).join(""),
  };
}

/** Reads all text. @throws UnavailableError when the data was not fetched */
export function loadTexts(dataDir: string): Texts {
  const novelFolder = join(dataDir, textSource.folder, "moby-dick", "data");
  const speechFolder = join(dataDir, textSource.folder, "sotu", "data");
  if (!existsSync(novelFolder)) {
    throw new UnavailableError(novelFolder, "the data was not fetched", "Run `npm run data` first.");
  }
  const number = (name: string): number => Number(name.slice("chapter_".length, -".txt".length));
  const chapters = readdirSync(novelFolder)
    .filter((name) => /^chapter_\d+\.txt$/.test(name))
    .sort((a, b) => number(a) - number(b));
  const addresses = readdirSync(speechFolder)
    .filter((name) => name.endsWith(".txt"))
    .sort();
  const novel = readParts(novelFolder, chapters);
  const speeches = readParts(speechFolder, addresses);
  return {
    novel: novel.training,
    speeches: speeches.training,
    heldOutNovel: novel.heldOut,
    heldOutSpeeches: speeches.heldOut,
  };
}

/** The last `bytes` of an ASCII-safe text, from the start of a word on. */
function tail(text: string, bytes: number): string {
  const encoded = Buffer.from(text, "utf8");
  const cut = encoded.subarray(encoded.length - bytes).toString("utf8");
  return cut.slice(cut.indexOf(" ") + 1);
}

/** The evaluation text: the last 8 KB of the held-out novel and of the held-out speeches. */
export function evaluationText(texts: Texts): string {
  return tail(texts.heldOutNovel, 8192) + tail(texts.heldOutSpeeches, 8192);
}
