// Tokenizers that go from one format to another: the same tokens for a text in all of them, and refused where a format
// could not give the same.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Tokenizer } from "../../src/core/model.js";
import { TOKEN, type VocabularyData } from "../../src/core/vocabulary.js";
import { writeGgufFolder } from "../../src/formats/gguf-folder.js";
import { vocabularyMetadata } from "../../src/formats/gguf-vocabulary.js";
import { openTokenizerJson } from "../../src/formats/tokenizer-json.js";
import { tokenizerFiles } from "../../src/formats/tokenizer-json-write.js";
import { vocabularyOfJson } from "../../src/formats/vocabulary-json.js";
import { outputFiles } from "../../src/platform/node-output.js";
import { storiesFolder } from "../model/stories.js";
import { refuses } from "../support/refuses.js";
import { askLlamaCpp, compare, haveFixtures, ourLogits } from "./llama-cpp.js";
import { inFolder, rounder, shipped, withSource } from "./writers.js";

const TEXTS = [
  "Once upon a time, there was a little girl named Lily.",
  "  two  spaces\nand a line, caf\u00e9 \u{1f600} \u4e16\u754c",
  "aaaaaaaaaaaaaaaaab 12345 don't",
  " ",
];

/** The tokenizer that the written tokenizer.json gives. */
function again(data: VocabularyData): Tokenizer {
  const [json, config] = tokenizerFiles("t", data).map((file) => JSON.parse(JSON.stringify(file.json)));
  return openTokenizerJson("tokenizer.json", json, config, { bosId: data.bosId, eosId: data.eosId });
}

function dataOf(tokenizer: Tokenizer | null): VocabularyData {
  const data = tokenizer?.vocabulary?.();
  if (!data) throw new Error("there is a tokenizer");
  return data;
}

test("byte-level BPE", async () => {
  await withSource(shipped, async (_, { tokenizer }) => {
    const data = dataOf(tokenizer);
    assert.is(data.kind, "bpe");
    const second = again(data);
    for (const text of TEXTS) assert.equal(second.encode(text), tokenizer?.encode(text), text);
    assert.equal({ ...dataOf(second), unknownId: null }, { ...data, unknownId: null });
    assert.is(second.addsBos, true);
  });
});

const folder = storiesFolder();
if (folder) {
  const stories = join(folder, "stories260K.bin");

  test("SentencePiece's scores become merges and scores again", async () => {
    await withSource(stories, async (_, { tokenizer }) => {
      const data = dataOf(tokenizer);
      const second = again(data);
      const third = again(dataOf(second));
      for (const text of TEXTS) {
        assert.equal(second.encode(text), tokenizer?.encode(text), text);
        assert.equal(third.encode(text), second.encode(text), text);
        assert.is(second.decode(second.encode(text)), text);
      }
    });
  });

  const judge = haveFixtures("llama.cpp");
  test("stories260K as GGUF: llama.cpp cuts the text alike and says the same", async () => {
    await inFolder(async (out) => {
      const path = join(out, "stories.gguf");
      await withSource(stories, async (source, { tokenizer, config }) => {
        // From tokenizer.json, as a Hugging Face folder would give it.
        const data = dataOf(again(dataOf(tokenizer)));
        const vocabulary = vocabularyMetadata("t", data, config.decoder.vocab);
        const files = await outputFiles(path, { replace: false });
        const plan = { type: "F32", vocabulary, file: "stories.gguf", provenance: {} } as const;
        await writeGgufFolder(files, source, plan, { rounder });
        await files.commit();
      });
      await withSource(path, async (_, { tokenizer }) => {
        for (const text of TEXTS) {
          if (!judge) continue;
          assert.equal(tokenizer?.encode(text), askLlamaCpp(path, { text }).tokens, text);
        }
      });
      if (!judge) return;
      const judged = askLlamaCpp(path, { text: TEXTS[0] });
      const { kl, same } = compare(judged, (await ourLogits(path, judged.tokens, "f32")).logits);
      assert.ok(kl <= 1e-3 && same === 1, `KL ${kl}, same top ${same}`);
    });
  });
}

test("what would cut a text elsewhere is refused", async () => {
  const json = JSON.parse(readFileSync(join(shipped, "tokenizer.json"), "utf8"));
  const special = { bosId: 1, eosId: 2, addsBos: true, template: null };
  const of = (change: object) => () => vocabularyOfJson("tokenizer.json", { ...json, ...change }, special);
  await refuses(of({ model: { type: "Unigram", vocab: [] } }), /model: is Unigram/);
  await refuses(of({ pre_tokenizer: { type: "Whitespace" } }), /pre_tokenizer: .* llama.cpp has no name for/);
  await refuses(of({ normalizer: { type: "Lowercase" } }), /normalizer: Lowercase/);
  await refuses(of({ model: { ...json.model, vocab: { a: 1e9 } } }), /model.vocab: gives ids up to/);
  const model = {
    type: "BPE",
    byte_fallback: true,
    vocab: { a: 0, b: 1, c: 2, bc: 3, abc: 4 },
    merges: ["b c", "a bc"],
  };
  const piece = { normalizer: { type: "Prepend", prepend: "x" }, pre_tokenizer: null, added_tokens: [] };
  await refuses(of({ ...piece, model }), /is not SentencePiece's/);
  const metaspace = { ...piece, normalizer: null, pre_tokenizer: { type: "Metaspace", replacement: "\u2581" } };
  assert.is(of({ ...metaspace, model })().kind, "sentencepiece");
  const gap = { ...model, vocab: { ...model.vocab, ab: 5 }, merges: [...model.merges, "a b"] };
  await refuses(of({ ...metaspace, model: gap }), /do not join "ab" and "c", SentencePiece would/);
});

test("a vocabulary is filled up to the embedding, and never longer", async () => {
  const metadata = new Map(vocabularyMetadata("t", small, 5));
  assert.equal(metadata.get("tokenizer.ggml.tokens")?.value, ["<s>", "a", "b", "[PAD3]", "[PAD4]"]);
  assert.equal(metadata.get("tokenizer.ggml.token_type")?.value, [3, 1, 1, TOKEN.unused, TOKEN.unused]);
  await refuses(() => vocabularyMetadata("t", small, 2), /has 3 tokens, the embedding has 2/);
});

const small: VocabularyData = {
  ...{ kind: "sentencepiece", tokens: ["<s>", "a", "b"], types: [3, 1, 1], scores: [0, -1, -2], spacePrefix: true },
  ...{ bosId: 0, eosId: 0, unknownId: null, addsBos: true, template: null },
};

test.run();
