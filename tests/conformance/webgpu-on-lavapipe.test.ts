// The WebGPU backend computes products in f16 and with subgroups, and the shipped model in f16, as the reference does on Dawn in Node with
// a newer lavapipe: the one software adapter that has f16 there. tests/long has the whole suite.

import { test } from "uvu";
import { newLavapipe } from "../support/lavapipe.js";
import { needWebgpu } from "../support/webgpu.js";
import { checkVerdict, judgedBy } from "./verdict.js";

const driver = newLavapipe();
if (driver && needWebgpu()) {
  test("WebGPU on lavapipe agrees with the reference, in f16 with subgroups too", async () => {
    const verdict = await judgedBy([process.execPath], { ...process.env, ...driver }, "f16");
    checkVerdict(verdict, /^software \(.*llvmpipe/i, /products in f16, 256 invocations, subgroups/);
  });
}

test.run();
