// From a picture and a question to streamed text through every part: preprocessing, prompt, tower, decoder, tokenizer.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openReference } from "../../src/backends/reference.js";
import { openTokenizerJson } from "../../src/formats/tokenizer-json.js";
import { type AnswerRequest, answer } from "../../src/model/generate.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { nodePlatform } from "../../src/platform/node.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { refuses } from "../support/refuses.js";
import { root } from "../support/root.js";
import { randomLlava, randomWeights } from "./random-llava.js";

const path = join(root, "models/nibblemark-llava-2m/tokenizer.json");
const tokenizer = openTokenizerJson(path, JSON.parse(readFileSync(path, "utf8")), {}, { bosId: 1, eosId: 2 });
const parts = {
  backend: await openReference(nodePlatform()),
  quantizer: plainQuantizer,
  readFloat32: randomWeights,
};
const loaded = await loadModel(randomLlava, parts, { plan: planOf("f32"), activations: "f32", context: 48 });

function picture(seed: number) {
  return { width: 90, height: 70, rgb: Uint8Array.from({ length: 90 * 70 * 3 }, (_, i) => (i * seed) % 251) };
}

async function collect(request: Partial<AnswerRequest>): Promise<string> {
  let text = "";
  const whole = { loaded, tokenizer, prompt: "How many?", picture: picture(7), maxTokens: 6, ...request };
  for await (const piece of answer(whole)) text += piece;
  return text;
}

test("the answer streams, is repeatable, and depends on picture and question", async () => {
  const first = await collect({});
  assert.ok(first.length > 0);
  assert.is(await collect({}), first);
  assert.is.not(await collect({ picture: picture(11) }), first);
  assert.is.not(await collect({ prompt: "Which?" }), first);
});

test("the hook sees a vision epoch, a prefill of the whole prompt, then single tokens", async () => {
  const epochs: string[] = [];
  await collect({
    maxTokens: 3,
    eosId: -1,
    hook: (epoch, submit) => {
      const embed = epoch.ops.find((op) => op.kind === "embed");
      epochs.push(`${epoch.phase} ${embed?.tokens.length ?? 0}`);
      return submit();
    },
  });
  const asked = 17 + tokenizer.encode("\nHow many?\n").length;
  assert.equal(epochs, ["vision 0", `prefill ${asked}`, "decode 1", "decode 1"]);
});

test("plain text needs no picture", async () => {
  assert.ok((await collect({ picture: null, prompt: "The whale" })).length > 0);
});

test("a prompt that does not fit, or asks for a picture that is not there, is refused", async () => {
  await refuses(() => collect({ prompt: "What is this? ".repeat(20) }), /context: \d+ positions are needed/);
  await refuses(() => collect({ picture: null, prompt: "<image> what?" }), /<image>: there is no image/);
});

test("the tokenizer keeps special tokens out of the text", () => {
  assert.is(tokenizer.vocabSize, 1024);
  assert.is(tokenizer.decode([1, 4, 4, ...tokenizer.encode("Call me Ishmael é."), 2]), "Call me Ishmael é.");
  assert.equal(tokenizer.encode("<image></s>"), [4, 2]);
  assert.is(tokenizer.decode([]), "");
});

test.run();
