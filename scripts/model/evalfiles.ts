// The files of an evaluation set: `pictures.png`, one sheet of 64x64 tiles, 16 in a row, and
// `questions.jsonl`, one question a line with the tile it asks about.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { pictureBytes } from "./digits.js";
import type { Question } from "./questions.js";

/** Tiles in a row of the sheet: tile t has its corner at x = 64 (t mod 16), y = 64 floor(t / 16). */
export const tilesPerRow = 16;
const tileSize = 64;

export interface EvalRow {
  readonly tile: number;
  readonly question: string;
  readonly answer: string;
  readonly set: "digits" | "easy-vqa";
  readonly type: Question["type"];
}

export interface EvalSet {
  /** [tiles, 64, 64, 3] bytes. */
  readonly pixels: Uint8Array;
  readonly rows: readonly EvalRow[];
}

/** Both sets in one; the tiles of the second follow those of the first. */
export function joinSets(first: EvalSet, second: EvalSet): EvalSet {
  const shift = first.pixels.length / pictureBytes;
  const pixels = new Uint8Array(first.pixels.length + second.pixels.length);
  pixels.set(first.pixels);
  pixels.set(second.pixels, first.pixels.length);
  return { pixels, rows: [...first.rows, ...second.rows.map((row) => ({ ...row, tile: row.tile + shift }))] };
}

/** Writes a file under a temporary name and renames it. */
export function writeWhole(path: string, contents: Uint8Array | string): void {
  writeFileSync(`${path}.part`, contents);
  renameSync(`${path}.part`, path);
}

/** [start, end) byte ranges of tile rows: calls `copy(sheetByte, pixelByte)` for each row of each tile. */
function eachTileRow(tiles: number, copy: (sheetPixel: number, pixelByte: number) => void): void {
  for (let tile = 0; tile < tiles; tile++) {
    const [left, top] = [(tile % tilesPerRow) * tileSize, Math.floor(tile / tilesPerRow) * tileSize];
    for (let y = 0; y < tileSize; y++) {
      copy((top + y) * tilesPerRow * tileSize + left, tile * pictureBytes + y * tileSize * 3);
    }
  }
}

/** Writes `pictures.png` and `questions.jsonl` into a folder. */
export function writeEvalSet(folder: string, { pixels, rows }: EvalSet): void {
  mkdirSync(folder, { recursive: true });
  const tiles = pixels.length / pictureBytes;
  const sheet = new PNG({ width: tilesPerRow * tileSize, height: Math.ceil(tiles / tilesPerRow) * tileSize });
  sheet.data.fill(255);
  eachTileRow(tiles, (sheetPixel, pixelByte) => {
    for (let x = 0; x < tileSize; x++) {
      sheet.data.set(pixels.subarray(pixelByte + 3 * x, pixelByte + 3 * x + 3), 4 * (sheetPixel + x));
    }
  });
  writeWhole(join(folder, "pictures.png"), PNG.sync.write(sheet, { colorType: 2, deflateLevel: 9 }));
  writeWhole(join(folder, "questions.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

/** Reads a set back; sheets have whole rows, so there may be white tiles after the last one asked about. */
export function readEvalSet(folder: string): EvalSet {
  const lines = readFileSync(join(folder, "questions.jsonl"), "utf8").trimEnd().split("\n");
  const sheet = PNG.sync.read(readFileSync(join(folder, "pictures.png")));
  const tiles = (sheet.width * sheet.height) / (tileSize * tileSize);
  const pixels = new Uint8Array(tiles * pictureBytes);
  eachTileRow(tiles, (sheetPixel, pixelByte) => {
    for (let x = 0; x < tileSize; x++) {
      const at = 4 * (sheetPixel + x);
      pixels.set(sheet.data.subarray(at, at + 3), pixelByte + 3 * x);
    }
  });
  return { pixels, rows: lines.map((line) => JSON.parse(line) as EvalRow) };
}
