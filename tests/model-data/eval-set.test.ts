// The committed evaluation set: 200 questions that fit their pictures, balanced over types, and 16 KB of text.

import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readEvalSet } from "../../scripts/model/evalfiles.js";

const folder = "models/nibblemark-llava-2m/eval";
const { pixels, rows } = readEvalSet(folder);
const pictureBytes = 64 * 64 * 3;

test("has 100 questions of each set, each with a picture", () => {
  for (const set of ["digits", "easy-vqa"]) assert.is(rows.filter((row) => row.set === set).length, 100);
  for (const { tile } of rows) {
    const picture = pixels.subarray(tile * pictureBytes, (tile + 1) * pictureBytes);
    assert.is(picture.length, pictureBytes);
    assert.ok(new Set(picture).size > 1, `tile ${tile} is blank`);
  }
});

test("question types and yes and no are balanced", () => {
  const count = (key: "type" | "answer", value: string): number => rows.filter((row) => row[key] === value).length;
  for (const type of ["which", "count", "compare"]) assert.ok(Math.abs(count("type", type) - 33) <= 1, type);
  for (const [type, number] of [
    ["shape", 25],
    ["colour", 25],
    ["yesno", 50],
  ] as const) {
    assert.is(count("type", type), number);
  }
  assert.ok(Math.abs(count("answer", "yes") - count("answer", "no")) <= 2);
});

test("digit pictures are grey on black", () => {
  for (const { tile } of rows.filter((row) => row.set === "digits")) {
    for (let i = tile * pictureBytes; i < (tile + 1) * pictureBytes; i += 3) {
      assert.ok(pixels[i] === pixels[i + 1] && pixels[i] === pixels[i + 2]);
    }
  }
});

test("the text is 16 KB", () => {
  const { length } = readFileSync(`${folder}/text.txt`);
  assert.ok(length > 16000 && length <= 16384, `${length} bytes`);
});

test.run();
