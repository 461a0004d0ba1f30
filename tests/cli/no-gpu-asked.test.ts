// `run` looks for a GPU only where a name asks for one: a driver takes a second to start and may write on stderr.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { AnswerRequest } from "../../src/cli/protocol.js";
import { answerWork } from "../../src/cli/tasks/answer.js";
import { nodePlatform } from "../../src/platform/node.js";

const REQUEST: Omit<AnswerRequest, "target"> = {
  kind: "answer",
  model: { kind: "shipped" },
  quant: null,
  chat: false,
  activations: "f32",
  kv: "f32",
  image: null,
  prompt: "Call me",
  maxTokens: 2,
  temperature: 0,
  topP: 1,
  seed: 1,
};

/** How often a GPU was asked for while this target answered. */
async function asked(target: string | null): Promise<number> {
  const platform = nodePlatform();
  let times = 0;
  const gpu = async () => {
    times++;
    return null;
  };
  const control = { clock: platform.clock, progress: () => {}, stopped: async () => false };
  const final = await answerWork({ ...platform, gpu }, { ...REQUEST, target }, control, () => {});
  assert.is(final.kind, "answered");
  return times;
}

for (const target of [null, "simd/1t"]) {
  test(`no GPU is asked for by target ${target}`, async () => {
    assert.is(await asked(target), 0);
  });
}

test("one is by target webgpu", async () => {
  assert.ok((await asked("webgpu")) > 0);
});

test.run();
