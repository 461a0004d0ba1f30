// The shipped tokenizer: exact round trip, single-token answers, and the same ids from our own
// encoder and from Hugging Face's JavaScript library.

import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { trainBpe } from "../../scripts/model/bpe.js";
import { loadTokenizer } from "../../scripts/model/tokenizer-json.js";

const folder = "models/nibblemark-llava-2m";
const own = loadTokenizer(`${folder}/tokenizer.json`);
const json = (name: string): object => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
const library = new Tokenizer(json("tokenizer.json"), json("tokenizer_config.json"));

const samples = [
  readFileSync(`${folder}/eval/text.txt`, "utf8"),
  "\nis the top left digit larger than the bottom left one?\n",
  "it's 1,234's we'll  two spaces\t\ttabs\n\n\nlines ",
  " lead, trail  ",
  "héllo ✓ 日本 🙂 \u0000 \u00a0 end",
  "",
];

test("text comes back byte for byte", () => {
  for (const text of samples) assert.is(own.decode(own.encode(text)), text);
});

test("the library gives the same ids and the same text", () => {
  for (const text of samples) {
    const ids = own.encode(text);
    assert.equal(library.encode(text).ids, ids);
    if (ids.length > 0)
      assert.is(library.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }), text);
  }
});

test("specials have the ids of the model's prompt", () => {
  assert.equal(library.encode("<unk><s></s><pad><image>").ids, [0, 1, 2, 3, 4]);
});

test("every answer is one token", () => {
  const answers = "0 1 2 3 4 5 6 7 8 9 yes no circle rectangle triangle black blue brown gray green red teal yellow";
  for (const answer of answers.split(" ")) assert.is(own.encode(answer).length, 1, answer);
});

test("training merges the most frequent pair first, of equals the lower one", () => {
  const bpe = trainBpe(
    new Map([
      ["ab", 3],
      ["bc", 5],
      ["ca", 3],
    ]),
    5 + 256 + 2,
  );
  const id = (byte: string): number => bpe.encode(byte)[0];
  assert.equal(bpe.merges, [
    [id("b"), id("c")],
    [id("a"), id("b")],
  ]);
  assert.equal(bpe.encode("abc"), [id("a"), 261]);
});

test.run();
