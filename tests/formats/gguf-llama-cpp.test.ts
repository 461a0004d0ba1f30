// Tiny seeded models that gguf-py wrote, one for each architecture and stored type, say the same here and in llama.cpp.
// llama.cpp rounds activations where weights are quantized, so those may differ a little.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";
import { askLlamaCpp, CLEAR_NATS, CLEAR_NATS_QUANTIZED, compare, haveFixtures, ourLogits } from "./llama-cpp.js";

const folder = join(root, ".cache/gguf/models");
const ready = haveFixtures("models") && haveFixtures("llama.cpp");
const TOKENS = [1, ...Array.from({ length: 100 }, (_, i) => 259 + ((i * 37) % 60))];

const shares: { readonly exact: boolean; readonly same: number }[] = [];

for (const name of ready ? readdirSync(folder).filter((file) => file.endsWith(".gguf")) : []) {
  test(name, async () => {
    const path = join(folder, name);
    const judged = askLlamaCpp(path, { tokens: TOKENS });
    const { logits } = await ourLogits(path, TOKENS, "f32");
    const { kl, same, worstLead } = compare(judged, logits);
    console.log(`${name}: KL ${kl.toExponential(1)}, same top ${(same * 100).toFixed(1)} %`);
    const exact = /-(F32|F16|BF16)\./.test(name);
    assert.ok(kl <= (exact ? 1e-3 : 5e-3), `KL divergence ${kl}`);
    assert.ok(worstLead <= (exact ? CLEAR_NATS : CLEAR_NATS_QUANTIZED), `another token, ${worstLead} nat apart`);
    shares.push({ exact, same });
  });
}

test("texts are cut as llama.cpp cuts them", async () => {
  if (!ready) return;
  const path = join(folder, "llama-F16.gguf");
  for (const text of ["abc hello  world", " a\n\tb", "caf\u00e9 \u{1f600}", "<s>a b</s>c"]) {
    const { model } = await ourLogits(path, TOKENS, "f32");
    assert.equal([1, ...(model.tokenizer?.encode(text) ?? [])], askLlamaCpp(path, { text: `<s>${text}` }).tokens, text);
  }
});

/** Tops of random models are near ties at some places: where they are not, `worstLead` has seen that they are equal. */
test("same tops over all models", () => {
  const mean = (list: readonly { same: number }[]) => list.reduce((sum, { same }) => sum + same, 0) / list.length;
  if (!ready) return;
  assert.ok(mean(shares.filter(({ exact }) => exact)) >= 0.98);
  assert.ok(mean(shares) >= 0.96);
});

test.run();
