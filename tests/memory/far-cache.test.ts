// Copies of far pages near: first in first out, least recently used and least frequently used differ on one trace.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { FarCacheName } from "../../src/core/pages.js";
import { drive, type Touch } from "./machine.js";

// Near memory holds page 0 alone, so that 1, 2, 3 are far; two copies fit.
const POOLS = [
  { pages: 1, readNs: 100 },
  { pages: 8, readNs: 250 },
];
const START: readonly Touch[] = [
  [0, 1],
  [1, 1],
  [2, 1],
];

/** Whether each touch after START was served near. */
function hits(farCache: FarCacheName, touches: readonly Touch[]): boolean[] {
  const driven = drive(POOLS, { farCache, farCachePages: 2, clearEpochs: 0 }, [START, ...touches.map((one) => [one])]);
  return driven.lines.slice(1).map(([near]) => (near?.[0] ?? 0) > 0);
}

test("fifo: 1 is the oldest copy and leaves though it was just used", () => {
  assert.equal(
    hits("fifo", [
      [1, 1],
      [3, 1],
      [1, 1],
    ]),
    [true, false, false],
  );
});

test("lru: 2 is the longest unused and leaves", () => {
  assert.equal(
    hits("lru", [
      [1, 1],
      [3, 1],
      [1, 1],
    ]),
    [true, false, true],
  );
  assert.equal(
    hits("lru", [
      [1, 9],
      [2, 1],
      [3, 1],
      [1, 1],
    ]),
    [true, true, false, false],
  );
});

test("frequency: the least used leaves, for a page used more", () => {
  // Copies 1 (10 lines) and 2 (2): page 3 with 1 line stays out; with 1 + 5 it takes the place of 2.
  assert.equal(
    hits("frequency", [
      [1, 9],
      [2, 1],
      [3, 1],
      [2, 1],
    ]),
    [true, true, false, true],
  );
  assert.equal(
    hits("frequency", [
      [1, 9],
      [3, 5],
      [1, 1],
      [3, 1],
      [2, 1],
    ]),
    [true, false, true, true, false],
  );
});

test("a copy is read whole; a changed one is written back to its home", () => {
  const driven = drive(POOLS, { farCache: "fifo", farCachePages: 1 }, [
    [
      [0, 1],
      [1, 1],
    ],
    [[1, 0, 3]],
    [[2, 1]],
  ]);
  // read, written, filled, back, moved out, moved in
  assert.equal(driven.lines[0], [
    [1, 0, 0, 64, 0, 0],
    [1, 0, 64, 0, 0, 0],
  ]);
  assert.equal(driven.lines[1], [
    [0, 3, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0],
  ]);
  assert.equal(driven.lines[2], [
    [0, 0, 64, 64, 0, 0],
    [1, 0, 64, 64, 0, 0],
  ]);
});

test("none: every far line is read from far", () => {
  assert.equal(
    hits("none", [
      [1, 1],
      [1, 1],
    ]),
    [false, false],
  );
});

test.run();
