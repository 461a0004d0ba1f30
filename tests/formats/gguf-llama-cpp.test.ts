// Tiny seeded models that gguf-py wrote, one for each architecture and stored type, say the same here and in llama.cpp.
// Beside quantized weights llama.cpp rounds activations to 8 bits: the strict bars hold over the floats that the weights stand
// for, and over the quantized file itself we are no further from llama.cpp than that rounding alone moves it.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";
import {
  type Agreement,
  askLlamaCppAll,
  assertAsRounded,
  assertSame,
  compare,
  compareJudged,
  haveFixtures,
  type Judged,
  ourLogits,
  tell,
} from "./llama-cpp.js";

const folder = join(root, ".cache/gguf/models");
const ready = haveFixtures("models") && haveFixtures("floats") && haveFixtures("llama.cpp");
const TOKENS = [1, ...Array.from({ length: 100 }, (_, i) => 259 + ((i * 37) % 60))];

const strict: Agreement[] = [];
const rounded: Agreement[] = [];

const names = ready ? readdirSync(folder).filter((file) => file.endsWith(".gguf")) : [];
const isQuantized = (name: string) => !/-(F32|F16|BF16)\./.test(name);
// gguf-py has written what quantized tensors stand for: the same weights, and activations that nobody rounds.
const floatsOf = (name: string) => (isQuantized(name) ? join(root, ".cache/gguf/floats", name) : join(folder, name));
const paths = [...names.map(floatsOf), ...names.filter(isQuantized).map((name) => join(folder, name))];
const answers = new Map(
  (ready ? askLlamaCppAll(paths.map((path) => ({ path, tokens: TOKENS }))) : []).map((judged, i) => [paths[i], judged]),
);

for (const name of names) {
  test(name, async () => {
    const path = join(folder, name);
    const judged = answers.get(floatsOf(name)) as Judged;
    const { logits } = await ourLogits(path, TOKENS, "f32");
    const exact = compare(judged, logits);
    console.log(`${name}: ${tell(exact)}`);
    strict.push(exact);
    assertSame(exact);
    const rounding = answers.get(path) as Judged;
    if (!isQuantized(name)) return;
    const [beside, own] = [compare(rounding, logits), compareJudged(judged, rounding)];
    console.log(`  activations rounded by llama.cpp: ${tell(beside)}; that rounding alone: ${tell(own)}`);
    rounded.push(beside);
    assertAsRounded(beside, own);
  });
}

test("texts are cut as llama.cpp cuts them", async () => {
  if (!ready) return;
  const path = join(folder, "llama-F16.gguf");
  const texts = ["abc hello  world", " a\n\tb", "caf\u00e9 \u{1f600}", "<s>a b</s>c"];
  const judged = askLlamaCppAll(texts.map((text) => ({ path, text: `<s>${text}` })));
  const { model } = await ourLogits(path, TOKENS, "f32");
  for (const [i, text] of texts.entries()) {
    assert.equal([1, ...(model.tokenizer?.encode(text) ?? [])], judged[i].tokens, text);
  }
});

/** Tops of random models are near ties at some places: where they are not, each test has seen that they are equal. */
test("same tops over all models", () => {
  const mean = (list: readonly Agreement[]) => list.reduce((sum, { same }) => sum + same, 0) / list.length;
  if (!ready) return;
  assert.ok(mean(strict) >= 0.995);
  assert.ok(mean([...strict, ...rounded]) >= 0.96);
});

test.run();
