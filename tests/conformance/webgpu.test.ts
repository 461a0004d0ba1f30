// The WebGPU backend computes the whole suite and the shipped model as the reference does, on Dawn in Node with SwiftShader;
// other variants of the kernels in brief, tests/long has them whole.

import { test } from "uvu";
import { nodePlatform } from "../../src/platform/node.js";
import { needWebgpu } from "../support/webgpu.js";
import { checkVerdict } from "./verdict.js";
import { judge } from "./webgpu-parts.js";

if (needWebgpu()) {
  test("WebGPU in Node agrees with the reference", async () => {
    const verdict = await judge(
      nodePlatform(),
      /^(?:first choice|weights in blocks|in brief: (?:subgroups|no packed))/,
    );
    checkVerdict(verdict, /^software \(.*swiftshader/i, /subgroups.*no packed.*first choice.*blocks/);
  });
}

test.run();
