// The WebGPU backend computes the whole suite as the reference does, on Dawn in Node, with every variant of its kernels.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWebgpu, type WebgpuOptions } from "../../src/backends/webgpu.js";
import { nodePlatform } from "../../src/platform/node.js";
import { needWebgpu } from "../support/webgpu.js";
import { referenceEntry } from "./backends.js";
import type { Case } from "./case.js";
import { differences } from "./compare.js";
import { blockCases } from "./random-blocks.js";
import { SUITE } from "./suite.js";

interface Part {
  readonly options: WebgpuOptions;
  readonly cases: readonly Case[];
}

/** Products of few tokens, whose kernels have variants. */
const decode = SUITE.filter(({ name }) => /^matmul .*\b(?:33|172|128)\] x [12],/.test(name));

/** Other sizes and ways of sums than the first choice, and no packed dot product. */
const PARTS: Readonly<Record<string, Part>> = {
  "first choice of kernels": { options: {}, cases: SUITE },
  "weights in blocks": { options: {}, cases: blockCases() },
  "128 invocations, subgroups": { options: { choice: { size: 128, subgroups: true } }, cases: decode },
  "32 invocations, no packed dot product": {
    options: { choice: { size: 32, subgroups: false }, dot4: false },
    cases: decode,
  },
};

if (needWebgpu()) {
  for (const [name, { options, cases }] of Object.entries(PARTS)) {
    test(`WebGPU in Node, ${name}, agrees with the reference in ${cases.length} cases`, async () => {
      const backend = await openWebgpu(nodePlatform(), options);
      console.log(`adapter: ${backend.adapter.kind} (${backend.adapter.name}), ${cases.length} cases`);
      const wrong = await differences(backend, await referenceEntry.open(), cases);
      assert.equal(wrong, []);
      assert.ok(cases.length > 50);
    });
  }
}

test.run();
