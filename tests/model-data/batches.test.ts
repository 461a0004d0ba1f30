// Training batches: a pure function of (seed, step, shard), well formed, and with loss weights
// as the options ask. Needs the data, which CI fetches itself.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeBatchSource, makeVisionSource } from "../../scripts/model/data.js";
import { ensureData } from "../../scripts/model/fetch.js";
import { loadTokenizer } from "../../scripts/model/tokenizer-json.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";

const dataDir = join(root, ".cache", "data");
if (process.env.CI === "true") ensureData(root);

if (need(existsSync(join(dataDir, "easy-vqa")), "the training data", "Run `npm run data` to fetch it.")) {
  const tokenizer = loadTokenizer("models/nibblemark-llava-2m/tokenizer.json");
  const source = makeBatchSource({ seed: 1, dataDir, tokenizer });

  test("equal arguments give equal batches, others differ", () => {
    const again = makeBatchSource({ seed: 1, dataDir, tokenizer });
    const otherSeed = makeBatchSource({ seed: 2, dataDir, tokenizer });
    const batch = source(5, 1);
    assert.equal(again(5, 1), batch);
    for (const other of [source(5, 0), source(6, 1), otherSeed(5, 1)]) {
      assert.is.not(Buffer.compare(other.pixels, batch.pixels), 0);
    }
  });

  test("targets are the next token of the same segment", () => {
    for (const { tokens, positions, segments, targets, weights } of source(0, 0).sequences) {
      for (let i = 0; i < tokens.length; i++) {
        assert.is(weights[i] > 0, targets[i] >= 0);
        const isInside = i + 1 < tokens.length && segments[i + 1] === segments[i];
        if (targets[i] >= 0 && isInside) assert.is(targets[i], tokens[i + 1]);
        if (isInside) assert.is(positions[i + 1], positions[i] + 1);
      }
    }
  });

  test("segments of one picture start right after the shared prefix", () => {
    const { positions, segments } = source(0, 0).sequences[0];
    for (let i = 17; i < segments.length; i++) if (segments[i] !== segments[i - 1]) assert.is(positions[i], 17);
    assert.is(Math.max(...segments), 5);
  });

  test("text and answers have equal total weight", () => {
    const { sequences } = source(0, 0);
    const sum = (list: Float32Array): number => list.reduce((total, weight) => total + weight, 0);
    const text = sequences.filter(({ image }) => image < 0).reduce((total, { weights }) => total + sum(weights), 0);
    const answers = sequences
      .filter(({ image }) => image >= 0)
      .reduce((total, { weights }) => total + sum(weights.filter((weight) => weight === 1)), 0);
    assert.ok(Math.abs(text - answers) < 1e-3 * answers);
  });

  test("a vision batch labels four digits or a shape and a colour", () => {
    const { pixels, labels, sequences } = makeVisionSource({ seed: 1, dataDir, grids: 2, easyVqa: 2 })(0, 0);
    assert.is(pixels.length, 4 * 64 * 64 * 3);
    assert.is(sequences.length, 0);
    for (let i = 0; i < 2; i++) {
      assert.ok(labels.subarray(6 * i, 6 * i + 4).every((label) => label >= 0 && label < 10));
      assert.equal([...labels.subarray(6 * i + 4, 6 * i + 6)], [-1, -1]);
      assert.ok(labels.subarray(6 * (i + 2), 6 * (i + 2) + 4).every((label) => label === -1));
    }
  });
}

test.run();
