// The shipped model gives the reference's logits on WebGPU, for a picture with its question and for single tokens after it.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWebgpu } from "../../src/backends/webgpu.js";
import type { ActivationFormat, KvFormat } from "../../src/core/op.js";
import type { QuantName } from "../../src/core/scenario.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { uniform } from "../../src/model/sample.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { type BackendEntry, referenceEntry } from "../conformance/backends.js";
import { relativeError } from "../conformance/case.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { needWebgpu } from "../support/webgpu.js";

/** Eleven layers of f32 sums in another order. */
const FLOAT = 2e-5;
/** Codes of activations that fall on the other side of a tie; tests/model/backends-agree.test.ts says why. */
const ROUNDED = 2e-2;

const random = uniform(9);
const PIXELS = Float32Array.from({ length: 3 * 64 * 64 }, () => random() * 2 - 1);
const PROMPT = [1, ...new Array<number>(16).fill(4), 203, 77, 500, 12, 999, 203];

const CASES: readonly (readonly [QuantName, ActivationFormat, KvFormat, number])[] = [
  ["f32", "f32", "f32", FLOAT],
  ["int4-g32", "f32", "int8", ROUNDED],
  ["int4-g32", "int8", "f32", ROUNDED],
];

if (needWebgpu()) {
  const platform = nodePlatform();
  const model = await openModel(platform, platform.packagePath("models/nibblemark-llava-2m"));
  const webgpu: BackendEntry = { name: "webgpu", open: () => openWebgpu(platform) };
  const logitsOf = async ({ open }: BackendEntry, quant: QuantName, activations: ActivationFormat, kv: KvFormat) => {
    const parts = { backend: await open(), quantizer: plainQuantizer, readFloat32 };
    const plan = planOf(quant, undefined, kv);
    const loaded = await loadModel(model, parts, { plan, activations, context: 64 });
    const session = openSession(loaded);
    await session.see(PIXELS);
    const rows = [await session.logits(PROMPT), await session.logits([321]), await session.logits([654])];
    await loaded.backend.close();
    return rows;
  };
  for (const [quant, activations, kv, tolerance] of CASES) {
    test(`${quant}, ${activations} activations, ${kv} keys and values`, async () => {
      const expected = await logitsOf(referenceEntry, quant, activations, kv);
      for (const [i, row] of (await logitsOf(webgpu, quant, activations, kv)).entries()) {
        const error = relativeError(row, expected[i]);
        assert.ok(error < tolerance, `row ${i}: ${error}`);
      }
    });
  }
  test.after(() => closeModel(model));
}

test.run();
