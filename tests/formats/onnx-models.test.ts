// Whole models that onnxruntime-genai exported (fused q, k and v, with biases or without, data in a file beside) give ONNX
// Runtime's own logits. Made once by scripts/fixtures/tiny_onnx.py.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";
import { ourLogits } from "./llama-cpp.js";

for (const name of ["llama", "qwen2"]) {
  test(`${name}: the logits of ONNX Runtime`, async () => {
    const folder = join(root, "tests/fixtures/onnx", name);
    const { ids, logits: expected } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as {
      ids: number[];
      logits: number[][];
    };
    const { logits, model } = await ourLogits(join(folder, "model.onnx"), ids, "f32");
    const labels = [...(model.stored?.values() ?? [])].map(({ label }) => label);
    assert.is(labels.filter((label) => label === "ONNX 4 bit g32").length, 2 * 7 + 1);
    const worst = expected.flat().reduce((most, value, i) => Math.max(most, Math.abs(value - logits[i])), 0);
    console.log(`${name}: logits differ by up to ${worst.toExponential(1)}`);
    assert.is(logits.length, expected.flat().length);
    assert.ok(worst < 1e-4, `logits differ by ${worst}`);
  });
}

test.run();
