// A GPU that is lost under `run`: before the first word the CPU answers in its place and the note says why; in mid-answer the
// error is typed and names the way to the CPU.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { AnswerRequest } from "../../src/cli/protocol.js";
import { answerWork } from "../../src/cli/tasks/answer.js";
import { UnavailableError } from "../../src/core/errors.js";
import type { Platform } from "../../src/core/ports.js";
import { nodePlatform } from "../../src/platform/node.js";
import { needWebgpu } from "../support/webgpu.js";

const REQUEST: AnswerRequest = {
  ...{ kind: "answer", model: { kind: "shipped" }, target: "webgpu", quant: "int4-g32", chat: false, kv: "f32" },
  ...{ activations: "f32", image: null, prompt: "Call me", maxTokens: 12, temperature: 0, topP: 1, seed: 1 },
};

/** A platform whose GPU is lost with the submission of a number, counted from 1. */
function losing(at: number): Platform {
  const platform = nodePlatform();
  let submissions = 0;
  return {
    ...platform,
    async gpu() {
      const gpu = (await platform.gpu?.()) as GPU;
      const requestAdapter = async () => {
        const adapter = (await gpu.requestAdapter()) as GPUAdapter;
        const requestDevice = async (descriptor: GPUDeviceDescriptor) => {
          const device = await adapter.requestDevice(descriptor);
          const createCommandEncoder = device.createCommandEncoder.bind(device);
          device.createCommandEncoder = (...args) => {
            submissions++;
            if (submissions === at) device.destroy();
            return createCommandEncoder(...args);
          };
          return device;
        };
        const { info, features, limits } = adapter;
        return { info, features, limits, requestDevice };
      };
      return { requestAdapter, wgslLanguageFeatures: gpu.wgslLanguageFeatures };
    },
  };
}

async function answerOn(platform: Platform) {
  let text = "";
  const control = { clock: platform.clock, progress() {}, stopped: async () => false };
  const event = await answerWork(platform, REQUEST, control, (piece) => {
    text += piece;
  });
  if (event.kind !== "answered") throw new Error(`unexpected ${event.kind}`);
  return { text, facts: event.facts };
}

if (needWebgpu()) {
  test("lost before the first word: the CPU answers, and says why", async () => {
    const whole = await answerOn(nodePlatform());
    assert.match(whole.facts.target, /webgpu-/);
    const { text, facts } = await answerOn(losing(1));
    assert.is(text, whole.text);
    assert.match(facts.target, /wasm-/);
    assert.match(facts.note ?? "", /Running on the CPU/);
  });

  test("lost in mid-answer: a typed error that names the CPU's target", async () => {
    try {
      await answerOn(losing(5));
    } catch (error) {
      assert.instance(error, UnavailableError);
      assert.match((error as Error).message, /--target wasm-simd/);
      return;
    }
    assert.unreachable("the answer went on without its GPU");
  });
}

test.run();
