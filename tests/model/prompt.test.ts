// The image placeholder becomes one token an image row; prompts and pictures must fit each other.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Tokenizer } from "../../src/core/model.js";
import { streamText } from "../../src/model/generate.js";
import { promptTokens } from "../../src/model/prompt.js";
import { refuses } from "../support/refuses.js";

/** One token a byte, moved up by 100. */
const bytes: Tokenizer = {
  bosId: 1,
  eosId: 2,
  vocabSize: 356,
  encode: (text) => Array.from(new TextEncoder().encode(text), (byte) => byte + 100),
  decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id >= 100).map((id) => id - 100))),
};
const image = { id: 4, count: 3 };

test("a question about an image has the shipped model's layout", () => {
  assert.equal(promptTokens(bytes, "?", image), [1, 4, 4, 4, 110, 163, 110]);
});

test("a placeholder is expanded where it stands", () => {
  assert.equal(promptTokens(bytes, "a<image>b", image), [1, 197, 4, 4, 4, 198]);
});

test("plain text begins with the begin token", () => {
  assert.equal(promptTokens(bytes, "a", null), [1, 197]);
});

test("placeholders without an image, or two of them, are refused", async () => {
  await refuses(() => promptTokens(bytes, "<image>", null), /<image>: there is no image/);
  await refuses(() => promptTokens(bytes, "<image><image>", image), /stands 2 times/);
});

test("text streams in whole characters", async () => {
  async function* tokens() {
    yield* bytes.encode("aé😀b");
  }
  const pieces: string[] = [];
  for await (const piece of streamText(bytes, [1, 200], tokens())) pieces.push(piece);
  assert.equal(pieces, ["a", "é", "😀", "b"]);
});

test.run();
